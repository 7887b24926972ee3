import Foundation

/// Finds programs that Debian packages install.
enum ProgramSearch {
    /// Looks along the path, and then where a daemon's may not lead.
    static func path(of name: String, searchPath: String? = ProcessInfo.processInfo.environment["PATH"]) -> String? {
        let directories = (searchPath ?? "").split(separator: ":").map(String.init) + ["/usr/bin", "/usr/sbin", "/bin"]
        return directories.lazy.filter { !$0.isEmpty }.map { "\($0)/\(name)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// Where `initdb` and `postgres` are: Debian keeps them off the path, one directory a version.
    ///
    /// - Parameters:
    ///   - version: The major version a cluster was made with; nil takes the newest.
    ///   - root: Below which the versions lie.
    /// - Returns: The directory of the programs.
    /// - Throws: `CommandError` that says how to get them.
    static func postgres(version: String?, root: String = "/usr/lib/postgresql") throws -> String {
        let versions = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).compactMap(Int.init)
        let directories = versions.sorted(by: >).map { ("\($0)", "\(root)/\($0)/bin") }.filter { isComplete($0.1) }
        if let version {
            if let directory = directories.first(where: { $0.0 == version }) { return directory.1 }
            // Outside Debian there is one version, on the path.
            if directories.isEmpty, let initdb = path(of: "initdb") {
                return URL(fileURLWithPath: initdb).deletingLastPathComponent().path
            }
            throw CommandError(
                "the data directory was made with Postgres \(version), which is not installed; install "
                    + "postgresql-\(version), or choose another --data-dir")
        }
        if let newest = directories.first { return newest.1 }
        if let initdb = path(of: "initdb") {
            let directory = URL(fileURLWithPath: initdb).deletingLastPathComponent().path
            if isComplete(directory) { return directory }
        }
        throw CommandError("Postgres is not installed (no initdb and postgres in \(root)/*/bin); run `earshot setup`")
    }

    private static func isComplete(_ directory: String) -> Bool {
        ["initdb", "postgres"].allSatisfy { FileManager.default.isExecutableFile(atPath: "\(directory)/\($0)") }
    }
}
