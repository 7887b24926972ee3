import Foundation

/// One page of a directory store's listing, in the order of the keys' bytes.
struct DirectoryWalk {
    private let root: String
    private let prefix: String
    private let after: ObjectKey?
    private let limit: Int
    private var entries: [ObjectPage.Entry] = []

    init(root: String, prefix: String, after: ObjectKey?, limit: Int) {
        self.root = root
        self.prefix = prefix
        self.after = after
        self.limit = limit
    }

    mutating func run() throws -> ObjectPage {
        try visit([])
        let isTruncated = entries.count > limit
        if isTruncated { entries.removeLast() }
        return ObjectPage(entries: entries, isTruncated: isTruncated, nextAfter: entries.last?.key)
    }

    /// Visits a directory; it stops one entry behind the limit.
    private mutating func visit(_ components: [String]) throws {
        let path = ([root] + components).joined(separator: "/")
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue else {
            return
        }
        var found: [(name: String, isDirectory: Bool, size: Int)] = []
        for name in try FileManager.default.contentsOfDirectory(atPath: path) {
            // Temporary names, and whatever else is nobody's object, are no keys.
            guard let key = try? ObjectKey(components + [name]) else { continue }
            guard key.text.hasPrefix(prefix) || prefix.hasPrefix(key.text + "/") else { continue }
            let attributes = try? FileManager.default.attributesOfItem(atPath: "\(path)/\(name)")
            switch attributes?[.type] as? FileAttributeType {
            case .typeDirectory?: found.append((name, true, 0))
            case .typeRegular?: found.append((name, false, attributes?[.size] as? Int ?? 0))
            default: continue
            }
        }
        // A directory's keys all begin with its name and a slash, and sort there.
        func place(_ entry: (name: String, isDirectory: Bool, size: Int)) -> String {
            entry.isDirectory ? entry.name + "/" : entry.name
        }
        for entry in found.sorted(by: { place($0).utf8.lexicographicallyPrecedes(place($1).utf8) }) {
            guard entries.count <= limit else { return }
            let key = try ObjectKey(components + [entry.name])
            if entry.isDirectory {
                // All keys below lie before the place to begin behind.
                if let after, !after.text.hasPrefix(key.text + "/"), !(key.text + "/").isAfter(after.text) { continue }
                try visit(components + [entry.name])
            } else if key.text.hasPrefix(prefix), after.map({ key > $0 }) ?? true {
                entries.append(ObjectPage.Entry(key: key, bytes: entry.size))
            }
        }
    }
}

extension String {
    /// Whether it sorts behind another text, by bytes.
    fileprivate func isAfter(_ other: String) -> Bool { other.utf8.lexicographicallyPrecedes(utf8) }
}
