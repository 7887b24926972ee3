import Glibc

/// A shell script that runs beside the tests and notices when they are gone.
///
/// Its standard input is a socket whose other end only this process holds: it reads a line when it is told to stop, and
/// the end of the stream when this process ended, however that happened. Foundation's `Process` is not used because its
/// children inherit the signals that the pool's threads block.
struct WatchedScript {
    let pid: pid_t
    private let control: Int32

    /// Starts `sh -c script sh arguments…` with its output going to `log`.
    init(script: String, arguments: [String], log: String) throws {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw FixtureError("no sockets: errno \(errno)") }
        defer { close(ends[1]) }
        control = ends[0]

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], 0)
        posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        InheritedDescriptors.close(in: &actions)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        // A process group of its own: Ctrl-C ends the tests, and their end ends the server.
        posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP
        posix_spawnattr_setflags(&attributes, Int16(flags))

        var words: [UnsafeMutablePointer<CChar>?] = (["sh", "-c", script, "sh"] + arguments).map { strdup($0) }
        words.append(nil)
        var environment: [UnsafeMutablePointer<CChar>?] = [
            strdup("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"), strdup("LC_ALL=C.UTF-8"), nil,
        ]
        defer { for word in words + environment { free(word) } }
        var child: pid_t = 0
        let status = posix_spawn(&child, "/bin/sh", &actions, &attributes, &words, &environment)
        guard status == 0 else {
            close(control)
            throw FixtureError("sh did not start: errno \(status)")
        }
        pid = child
    }

    /// Tells the script to stop.
    func order(_ word: String) {
        let line = Array("\(word)\n".utf8)
        _ = send(control, line, line.count, Int32(MSG_NOSIGNAL))
    }

    /// Waits for the script's end and returns its exit status.
    @discardableResult
    func wait() -> Int32 {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) == -1, errno == EINTR {}
        close(control)
        return (status >> 8) & 0xFF
    }
}

/// Says why a fixture could not be had.
package struct FixtureError: Error, CustomStringConvertible {
    package let description: String

    /// Makes an error.
    package init(_ description: String) {
        self.description = description
    }
}
