import FoundationEssentials

/// A key set file in a directory of its own, removed with `remove()`.
struct KeySetFixture {
    let path: String
    private let directory: String

    init(_ entries: [String]) throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "earshot-keys-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        path = directory + "/keys.json"
        try write(entries)
    }

    func write(_ entries: [String]) throws {
        try write(text: #"{"keys":[\#(entries.joined(separator: ","))]}"#)
    }

    func write(text: String) throws {
        // Atomically, as a rotation does it: a new file takes the old one's name.
        try Data(text.utf8).write(to: URL(filePath: path), options: .atomic)
    }

    func removeFile() throws {
        try FileManager.default.removeItem(atPath: path)
    }

    func remove() {
        try? FileManager.default.removeItem(atPath: directory)
    }
}
