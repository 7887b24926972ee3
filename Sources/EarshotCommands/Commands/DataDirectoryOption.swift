import ArgumentParser
import Foundation

/// `--data-dir`, the same for every command that needs what `earshot up` keeps.
struct DataDirectoryOption: ParsableArguments {
    @Option(
        name: .customLong("data-dir"),
        help: ArgumentHelp(
            "Where `earshot up` keeps its data (default: $EARSHOT_DATA_DIR, else .earshot).", valueName: "dir"))
    var directory: String?

    func validate() throws {
        guard directory != "" else { throw ValidationError("--data-dir is empty; name a directory") }
    }

    /// The directory's absolute path.
    var path: String {
        let environment = ProcessInfo.processInfo.environment["EARSHOT_DATA_DIR"].flatMap { $0.isEmpty ? nil : $0 }
        return URL(fileURLWithPath: directory ?? environment ?? ".earshot").standardizedFileURL.path
    }
}
