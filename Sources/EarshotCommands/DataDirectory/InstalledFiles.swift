import Foundation

/// Files that come with Earshot: in a checkout above the program or above the current directory, else where a package
/// puts them.
struct InstalledFiles {
    /// The directory of the running program.
    let executables: String
    private let starts: [String]

    init(
        executable: String = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "/",
        currentDirectory: String = FileManager.default.currentDirectoryPath
    ) {
        executables = URL(fileURLWithPath: executable).deletingLastPathComponent().path
        starts = [executables, currentDirectory]
    }

    /// Where the database migrations are.
    ///
    /// - Throws: `CommandError` that names the places looked at.
    func migrations(explicit: String?) throws -> String {
        let environment = ProcessInfo.processInfo.environment["EARSHOT_MIGRATIONS_DIR"].flatMap {
            $0.isEmpty ? nil : $0
        }
        if let named = explicit ?? environment {
            guard Self.isDirectory(named) else {
                throw CommandError("the migrations directory \(named) does not exist")
            }
            return named
        }
        if let found = find("Migrations", where: Self.isDirectory) ?? packaged("migrations") { return found }
        throw CommandError(
            "no migrations found: there is no directory Migrations above \(starts.joined(separator: " or ")), and no "
                + "\(Self.package)/migrations; name it with EARSHOT_MIGRATIONS_DIR")
    }

    /// Where the speech engine's files are; nil when they are nowhere.
    var speech: String? {
        find(".cache/speech") { Self.isDirectory($0 + "/moonshine_voice") } ?? packaged("speech")
    }

    /// A script of the checkout; nil outside of one.
    func script(_ name: String) -> String? {
        find("scripts/\(name)", where: FileManager.default.isExecutableFile)
    }

    private static let package = "/usr/share/earshot"

    private func packaged(_ name: String) -> String? {
        let path = "\(Self.package)/\(name)"
        return Self.isDirectory(path) ? path : nil
    }

    private func find(_ relative: String, where matches: (String) -> Bool) -> String? {
        for start in starts {
            var directory = URL(fileURLWithPath: start).standardizedFileURL
            while true {
                let candidate = directory.appendingPathComponent(relative).path
                if matches(candidate) { return candidate }
                guard directory.path != "/" else { break }
                directory.deleteLastPathComponent()
            }
        }
        return nil
    }

    private static func isDirectory(_ path: String) -> Bool {
        var isDirectory: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory.boolValue
    }
}
