import Foundation

/// Finds files that lie beside the executable in a checkout, or where a package installs them.
package enum CheckoutPaths {
    /// The first existing path: `relative` in a directory at or above the executable, or `installed`.
    ///
    /// - Returns: `nil` when there is none.
    package static func find(_ relative: String, installed: String? = nil) -> String? {
        let executable = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        var directory = URL(fileURLWithPath: executable).deletingLastPathComponent()
        while directory.path != "/" && !directory.path.isEmpty {
            let candidate = directory.appendingPathComponent(relative).path
            if FileManager.default.fileExists(atPath: candidate) { return candidate }
            directory.deleteLastPathComponent()
        }
        guard let installed, FileManager.default.fileExists(atPath: installed) else { return nil }
        return installed
    }
}
