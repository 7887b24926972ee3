import Foundation
import Glibc
import Synchronization

/// A program a test runs, which cannot outlive the test process.
package final class ChildProcess: Sendable {
    /// Why a program could not be started, or did not do what a test waits for.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String

        /// Makes a failure.
        package init(_ description: String) { self.description = description }
    }

    /// The process' id.
    package let pid: Int32
    private let hasEnded = Mutex(false)

    /// Starts a program with an empty signal mask, no inherited descriptors and its output in a file.
    ///
    /// `setpriv` has the kernel kill it when the thread that started it ends, and that thread lives as long as this
    /// process; a thread of Swift's pool may end at any time.
    ///
    /// The last argument is the path of a file that gets stdout and stderr; without one they are dropped.
    package init(_ command: [String], output: String? = nil) throws {
        let words = ["setpriv", "--pdeathsig", "KILL"] + command
        pid = try SpawningThread.shared.run { try Self.spawn(words, output: output ?? "/dev/null") }
    }

    /// Sends a signal; nothing happens once the process was waited for.
    package func send(_ signal: Int32) {
        hasEnded.withLock { if !$0 { _ = Glibc.kill(pid, signal) } }
    }

    /// Kills it outright and waits for its end.
    package func kill() {
        hasEnded.withLock { hasEnded in
            guard !hasEnded else { return }
            _ = Glibc.kill(pid, SIGKILL)
            var status: Int32 = 0
            waitpid(pid, &status, 0)
            hasEnded = true
        }
    }

    /// Whether it runs, stopped or not; collects it when it has ended.
    package var isRunning: Bool {
        hasEnded.withLock { hasEnded in
            guard !hasEnded else { return false }
            var status: Int32 = 0
            hasEnded = waitpid(pid, &status, WNOHANG) != 0
            return !hasEnded
        }
    }

    deinit { kill() }

    private static func spawn(_ command: [String], output: String) throws -> pid_t {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        InheritedDescriptors.close(in: &actions)
        var words: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var pid = pid_t()
        let result = posix_spawnp(&pid, command[0], &actions, &attributes, &words, environ)
        guard result == 0 else {
            throw Failure("cannot start \(command.joined(separator: " ")): \(String(cString: strerror(result)))")
        }
        return pid
    }
}
