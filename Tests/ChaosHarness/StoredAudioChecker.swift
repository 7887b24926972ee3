import Crypto
import EarshotModel
import Foundation
import PostgresClient

/// (f) The stored parts of each session cover every message once and in order, and their objects are what they claim.
struct StoredAudioChecker: Checker {
    let name = "stored_audio"

    private struct Part {
        var first: UInt64
        var last: UInt64
        var object: String
        var bytes: Int
        var sha256: String
    }

    func check(_ evidence: Evidence) async throws -> CheckResult {
        guard try await evidence.hasTable("audio_parts") else {
            return CheckResult(name, missing: "no table audio_parts")
        }
        guard evidence.stage.fleet.roles["private-cloud"] != nil else {
            return CheckResult(name, missing: "no process private-cloud in the fleet")
        }
        let rows = try await evidence.stage.record.query(
            """
            SELECT session::text AS session, first_sequence, last_sequence, object, bytes, sha256
            FROM audio_parts ORDER BY session, part
            """)
        var parts: [String: [Part]] = [:]
        for row in rows {
            parts[try row.decode("session"), default: []].append(
                Part(
                    first: UInt64(try row.decode("first_sequence", as: Int64.self)),
                    last: UInt64(try row.decode("last_sequence", as: Int64.self)), object: try row.decode("object"),
                    bytes: try row.decode("bytes"), sha256: try row.decode("sha256")))
        }
        var violations: [String] = []
        for (session, events) in evidence.events(.sessionEnded) {
            let frames = events.first?.frames ?? 0
            var next: UInt64 = 0
            for part in parts[session] ?? [] {
                if part.first != next { violations.append("\(session): a part begins at \(part.first) behind \(next)") }
                next = part.last + 1
            }
            if next != frames { violations.append("\(session): \(next) of \(frames) messages are stored") }
        }
        let objects = compare(parts.values.flatMap(\.self), below: evidence.stage.fleet.directory, &violations)
        let figures = ["parts": Double(rows.count), "sessions": Double(parts.count), "objects_read": Double(objects)]
        return CheckResult(name, figures: figures, violations: violations)
    }

    /// Compares objects in the fleet's directory with what their parts say; returns how many were found.
    private func compare(_ parts: [Part], below directory: String, _ violations: inout [String]) -> Int {
        let files = FileManager.default.enumerator(atPath: directory)?.compactMap { $0 as? String } ?? []
        var found = 0
        for part in parts {
            guard let file = files.first(where: { $0.hasSuffix(part.object) }),
                let data = FileManager.default.contents(atPath: "\(directory)/\(file)")
            else {
                violations.append("object \(part.object) is not below \(directory)")
                continue
            }
            found += 1
            let digest = SHA256.hash(data: data).map { String(format: "%02x", $0) }.joined()
            if data.count != part.bytes || digest != part.sha256 {
                violations.append(
                    "object \(part.object): \(data.count) bytes \(digest), named \(part.bytes) \(part.sha256)")
            }
        }
        return found
    }
}
