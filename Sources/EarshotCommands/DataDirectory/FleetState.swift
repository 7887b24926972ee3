import Foundation

/// What an `earshot up` leaves on disk for the next one, and for the other commands: `state.json`.
struct FleetState: Codable, Equatable, Sendable {
    /// A process that was started, and may live on after a `kill -9` of its supervisor.
    struct Child: Codable, Equatable, Sendable {
        var role: String
        var node: String
        var process: ProcessIdentity
    }

    /// The form of the file.
    static let version = 1

    var version = FleetState.version
    /// The `earshot up` that wrote this; nil after an orderly end.
    var supervisor: ProcessIdentity?
    var listen: String?
    var admin: String?
    var redisPort: Int?
    var postgresPort: Int?
    /// Where the Postgres cluster lies.
    var postgresDirectory: String?
    var children: [Child] = []

    /// Reads the file; nil when it does not exist.
    ///
    /// - Throws: `CommandError` when it is damaged or of a later version.
    static func read(_ path: String) throws -> FleetState? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw CommandError("\(path) may not be read by this user")
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        guard let state = try? decoder.decode(FleetState.self, from: data) else {
            throw CommandError(
                "\(path) is damaged; if no process of this data directory runs any more, remove that file")
        }
        guard state.version == Self.version else {
            throw CommandError("\(path) has version \(state.version); this program knows version \(Self.version)")
        }
        return state
    }

    /// Replaces the file in one step.
    func write(_ path: String) throws {
        try SecretFile.write(try ConsoleJSON.line(self), to: path)
    }
}
