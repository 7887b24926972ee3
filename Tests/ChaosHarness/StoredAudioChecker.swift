import Crypto
import EarshotModel
import Foundation

/// (f) The stored parts of each session cover every message once and in order, and their objects are what they claim.
struct StoredAudioChecker: Checker {
    let name = "stored_audio"

    func check(_ evidence: Evidence) async throws -> CheckResult {
        guard try await evidence.hasTable("audio_parts") else {
            return CheckResult(name, missing: "no table audio_parts")
        }
        guard evidence.stage.fleet.roles["private-cloud"] != nil else {
            return CheckResult(name, missing: "no process private-cloud in the fleet")
        }
        return Self.compare(try await StoredParts(evidence.stage), evidence.events.events, users: nil)
    }

    /// Compares the stored parts with the sessions that ended.
    ///
    /// - Parameters:
    ///   - parts: What is stored.
    ///   - events: All events.
    ///   - users: Whose audio is stored; nil for everybody's. Of others nothing may be.
    /// - Returns: The check, `stored_audio`.
    static func compare(_ parts: StoredParts, _ events: [SessionEvent], users: Set<String>?) -> CheckResult {
        let chains = SessionChains(events)
        var violations: [String] = []
        for ended in events where ended.type == .sessionEnded {
            let session = ended.session
            guard users?.contains(ended.uid) ?? true else {
                if parts.bySession[session] != nil { violations.append("\(session): stored, and nobody asked for it") }
                continue
            }
            let first = chains.first(of: session)
            let end = first + (ended.frames ?? 0)
            var next = first
            for part in parts.bySession[session] ?? [] {
                if part.first != next { violations.append("\(session): a part begins at \(part.first) behind \(next)") }
                if part.missing != "{}" { violations.append("\(session): a part lacks \(part.missing)") }
                next = part.last + 1
            }
            if next != end { violations.append("\(session): stored up to \(next) of \(first) to \(end)") }
        }
        let seen = Set(events.lazy.filter { $0.type == .sessionEnded }.map(\.uid))
        violations += (users ?? []).subtracting(seen).map { "no session of \($0) has ended" }
        if parts.count == 0 { violations.append("nothing is stored") }
        let objects = compareObjects(of: parts, &violations)
        let figures = [
            "parts": Double(parts.count), "sessions": Double(parts.bySession.count), "objects_read": Double(objects),
        ]
        return CheckResult("stored_audio", figures: figures, violations: violations)
    }

    /// Compares objects with what their parts say; returns how many were found.
    private static func compareObjects(of parts: StoredParts, _ violations: inout [String]) -> Int {
        var found = 0
        for part in parts.bySession.values.flatMap(\.self) {
            guard let data = parts.object(part) else {
                violations.append("object \(part.object) is not in the store")
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
