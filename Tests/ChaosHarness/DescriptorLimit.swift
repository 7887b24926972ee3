import Foundation

/// How many files this process, and those it starts, may have open.
enum DescriptorLimit {
    /// Raises the limit as far as a run needs it.
    ///
    /// - Throws: `HarnessError` when the system does not allow so many.
    static func require(_ count: Int) throws {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        guard limit.rlim_cur < rlim_t(count) else { return }
        guard limit.rlim_max >= rlim_t(count) else {
            throw HarnessError(
                "the run needs \(count) open files, `ulimit -Hn` allows \(limit.rlim_max); take fewer --devices")
        }
        limit.rlim_cur = rlim_t(count)
        guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            throw HarnessError("the limit of open files cannot be raised to \(count): try `ulimit -n \(count)`")
        }
    }
}
