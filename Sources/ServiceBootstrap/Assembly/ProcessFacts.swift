import Dispatch
import FoundationEssentials
import Glibc
import Logging

/// What the system knows about this process, and the few things a server changes in it at its start.
package enum ProcessFacts {
    /// Raises the soft limit of open files to the hard one, and returns it; a session costs one.
    @discardableResult
    package static func raiseOpenFilesLimit() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
        if limit.rlim_cur < limit.rlim_max {
            var raised = limit
            raised.rlim_cur = raised.rlim_max
            if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { limit = raised }
        }
        return Int(clamping: limit.rlim_cur)
    }

    /// Makes writing to a closed pipe an error of that write; the default ends the process.
    package static func ignoreBrokenPipes() {
        signal(SIGPIPE, SIG_IGN)
    }

    /// Ends the process with `EX_SOFTWARE` after a time: what hangs may not be cancellable.
    static func end(after time: Duration, _ reason: String, _ logger: Logger) {
        DispatchQueue.global().asyncAfter(deadline: .now() + (time / .seconds(1))) {
            logger.critical("ending the process", metadata: ["reason": "\(reason)"])
            LogSetup.flush()
            _exit(EX_SOFTWARE)
        }
    }

    /// ROLE-HOST-PID: unique among live processes where containers have their own host names.
    static func defaultNodeName(role: String) -> String {
        let host = ProcessInfo.processInfo.hostName.prefix { $0 != "." }
            .filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }.prefix(50)
        return "\(role)-\(host.isEmpty ? "host" : String(host))-\(getpid())"
    }
}
