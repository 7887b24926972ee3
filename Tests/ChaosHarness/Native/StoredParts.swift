import AudioCodecs
import Foundation
import PostgresClient

/// The stored parts that the record names, by session, and their objects in the fleet's directory.
struct StoredParts: Sendable {
    struct Part: Sendable {
        var first: UInt64
        var last: UInt64
        var object: String
        var bytes: Int
        var sha256: String
        /// Numbers between the first and the last that are not in it, as Postgres writes ranges.
        var missing: String
    }

    let bySession: [String: [Part]]
    /// Where the fleet keeps objects.
    private let directory: String

    /// Reads the record.
    init(_ stage: Stage) async throws {
        directory = "\(stage.fleet.directory)/audio"
        let rows = try await stage.record.query(
            """
            SELECT session::text AS session, first_sequence, last_sequence, object, bytes, sha256, missing::text
            FROM audio_parts ORDER BY session, part
            """)
        var parts: [String: [Part]] = [:]
        for row in rows {
            parts[try row.decode("session"), default: []].append(
                Part(
                    first: UInt64(try row.decode("first_sequence", as: Int64.self)),
                    last: UInt64(try row.decode("last_sequence", as: Int64.self)), object: try row.decode("object"),
                    bytes: try row.decode("bytes"), sha256: try row.decode("sha256"),
                    missing: try row.decode("missing")))
        }
        bySession = parts
    }

    var count: Int { bySession.values.reduce(0) { $0 + $1.count } }

    /// An object's bytes; nil when it is not there.
    func object(_ part: Part) -> Data? { FileManager.default.contents(atPath: "\(directory)/\(part.object)") }

    /// The audio packets of an object, without those that a decoder only settles with.
    func packets(_ part: Part) throws -> [[UInt8]] {
        guard let data = object(part) else { throw HarnessError("object \(part.object) is not below \(directory)") }
        return try OggOpusReader.read([UInt8](data)).links.flatMap { link in
            var skipped = 0
            return Array(
                link.packets.drop { packet in
                    guard skipped < link.head.preSkip else { return false }
                    skipped += OpusPacketLength.samples(of: packet) ?? 0
                    return true
                })
        }
    }
}
