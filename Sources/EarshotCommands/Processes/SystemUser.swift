import Glibc

/// A user of this machine.
struct SystemUser: Sendable, Equatable {
    let name: String
    let userID: UInt32
    let groupID: UInt32

    init(name: String, userID: UInt32, groupID: UInt32) {
        self.name = name
        self.userID = userID
        self.groupID = groupID
    }

    /// Looks a user up; nil when there is none of that name.
    init?(named name: String) {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: Self.entryBytesMaximum)
        guard getpwnam_r(name, &entry, &buffer, buffer.count, &found) == 0, found != nil else { return nil }
        self.init(name: name, userID: entry.pw_uid, groupID: entry.pw_gid)
    }

    /// An entry holds a few paths.
    private static let entryBytesMaximum = 16 << 10

    /// A command that runs another one as this user, and becomes that one: the pid stays.
    ///
    /// swift-subprocess' own way is closed to a process with threads: it changes the user between its clone and the
    /// exec, where glibc's `setgroups` waits for threads that the child does not have, now and then for ever.
    ///
    /// - Throws: `CommandError` when `setpriv` is not installed.
    func command(_ command: [String]) throws -> [String] {
        guard let setpriv = ProgramSearch.path(of: "setpriv") else {
            throw CommandError("setpriv (Debian package util-linux) is not installed; run `earshot setup`")
        }
        return [setpriv, "--reuid=\(userID)", "--regid=\(groupID)", "--clear-groups", "--"] + command
    }

    /// Whether the supervisor runs as root.
    static var isRoot: Bool { geteuid() == 0 }
}
