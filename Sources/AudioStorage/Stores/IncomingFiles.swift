import Foundation

/// The files a directory store writes before they get their names; those of a killed process stay behind.
///
/// They lie in one directory, so that looking for them costs nothing however many objects there are.
struct IncomingFiles {
    /// No key begins with a dot.
    static let directoryName = ".incoming"
    /// Writing an object takes seconds; what is this old belongs to nobody who lives.
    static let ageMaximum: TimeInterval = 3_600

    private let directory: String

    init(root: String) { directory = "\(root)/\(Self.directoryName)" }

    /// Removes what is old; what cannot be removed stays.
    func sweep(now: Date = Date()) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        for path in names.map({ "\(directory)/\($0)" }) {
            let attributes = try? FileManager.default.attributesOfItem(atPath: path)
            guard attributes?[.type] as? FileAttributeType == .typeRegular,
                let changed = attributes?[.modificationDate] as? Date, now.timeIntervalSince(changed) > Self.ageMaximum
            else { continue }
            try? FileManager.default.removeItem(atPath: path)
        }
    }
}
