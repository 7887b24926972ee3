import Foundation
import Glibc

/// Where the Postgres cluster of a data directory lies, and whom it belongs to.
struct PostgresPlace: Sendable, Equatable {
    let directory: String
    /// Postgres refuses to run as root; nil is the supervisor's own user.
    let user: SystemUser?

    /// Where clusters go that their user could not reach.
    static let elsewhere = "/var/lib/earshot"
    /// Enough of a random name for the data directories of one machine.
    private static let nameLength = 16

    /// Chooses the place, and makes the directories above the cluster.
    ///
    /// A cluster stays where it was made. One elsewhere is found by the id that its data directory holds: without that
    /// directory it belongs to nobody, and a new one on the same path does not find it.
    ///
    /// - Throws: `CommandError` when there is no user to run Postgres as, a directory cannot be made, or the cluster's
    ///   user cannot reach it any more.
    static func choose(
        for paths: DataDirectoryPaths, isRoot: Bool = SystemUser.isRoot, elsewhere: String = Self.elsewhere
    ) throws -> PostgresPlace {
        guard isRoot else { return PostgresPlace(directory: paths.postgres, user: nil) }
        guard let user = SystemUser(named: "postgres") else {
            throw CommandError(
                "Postgres does not run as root and there is no user `postgres` to run it as; run `earshot setup`")
        }
        let home = "\(elsewhere)/\(try SecretFile.readOrCreate(paths.identity).prefix(nameLength))"
        if isCluster(home + "/pg") { return PostgresPlace(directory: home + "/pg", user: user) }
        // Others may pass through the data directory, and still neither list it nor read what is in it.
        let root = URL(fileURLWithPath: paths.root).resolvingSymlinksInPath()
        if reaches(user, root.deletingLastPathComponent().path) {
            try expectOwner(user, of: paths.postgres)
            try allowPassing(paths.root)
            return PostgresPlace(directory: paths.postgres, user: user)
        }
        guard !isCluster(paths.postgres) else {
            throw CommandError(
                "the user \(user.name) cannot reach the cluster in \(paths.postgres) any more; let others pass through "
                    + "the directories above \(paths.root) again (chmod o+x)")
        }
        try DataDirectory.make(home)
        try allowPassing(elsewhere)
        try allowPassing(home)
        // For whoever comes across it.
        try SecretFile.write(paths.root, to: home + "/belongs-to")
        return PostgresPlace(directory: home + "/pg", user: user)
    }

    /// Postgres runs on its own user's files only.
    private static func expectOwner(_ user: SystemUser, of cluster: String) throws {
        guard isCluster(cluster), let attributes = try? FileManager.default.attributesOfItem(atPath: cluster),
            let owner = (attributes[.ownerAccountID] as? NSNumber)?.uint32Value, owner != user.userID
        else { return }
        let name = (attributes[.ownerAccountName] as? String) ?? "user \(owner)"
        throw CommandError(
            "the cluster in \(cluster) belongs to \(name), and as root Postgres runs as \(user.name): start it as "
                + "\(name), give it to \(user.name) (chown -R \(user.name) \(cluster)), or name another --data-dir")
    }

    private static func isCluster(_ directory: String) -> Bool {
        FileManager.default.fileExists(atPath: directory + "/PG_VERSION")
    }

    /// The command with which the cluster's user runs another one.
    func command(_ command: [String]) throws -> [String] {
        try user?.command(command) ?? command
    }

    /// Gives a file or a directory to the cluster's user.
    func own(_ path: String) throws {
        guard let user else { return }
        guard chown(path, user.userID, user.groupID) == 0 else {
            throw CommandError("\(path) cannot be given to \(user.name): \(String(cString: strerror(errno)))")
        }
    }

    /// Whether a user may pass through a directory and all above it.
    static func reaches(_ user: SystemUser, _ path: String) -> Bool {
        var directory = URL(fileURLWithPath: path).resolvingSymlinksInPath()
        while true {
            guard let attributes = try? FileManager.default.attributesOfItem(atPath: directory.path),
                mayPass(user, attributes)
            else { return false }
            if directory.path == "/" { return true }
            directory.deleteLastPathComponent()
        }
    }

    private static func mayPass(_ user: SystemUser, _ attributes: [FileAttributeKey: Any]) -> Bool {
        let mode = (attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0
        let owner = (attributes[.ownerAccountID] as? NSNumber)?.uint32Value
        let group = (attributes[.groupOwnerAccountID] as? NSNumber)?.uint32Value
        if owner == user.userID { return mode & 0o100 != 0 }
        if group == user.groupID { return mode & 0o010 != 0 }
        return mode & 0o001 != 0
    }

    private static func allowPassing(_ path: String) throws {
        do {
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            let mode = (attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0o700
            try FileManager.default.setAttributes([.posixPermissions: mode | 0o001], ofItemAtPath: path)
        } catch {
            throw CommandError("the permissions of \(path) cannot be set: \(error)")
        }
    }
}
