import AudioCodecs
import Crypto
import EarshotClient

/// Compares what native devices sent with what is stored: message by message, and as one hash for each upload.
struct NativeAudio {
    let parts: StoredParts
    let chains: SessionChains

    /// What one upload's stored audio is.
    private struct Finding {
        var stored: [[UInt8]] = []
        /// Silence that the store put where nothing was captured.
        var silence = 0
        var violations: [String] = []
    }

    private static let silence = Set(OpusSilence.packets(samples: 960) + OpusSilence.packets(samples: 840))

    /// Compares all uploads.
    ///
    /// - Parameters:
    ///   - uploads: What the devices did.
    ///   - mustBeWhole: Whether an upload that did not come to its end is a violation.
    /// - Returns: The check, `native_audio`.
    func compare(_ uploads: [NativeOutcome], mustBeWhole: Bool) -> CheckResult {
        var figures = [
            "uploads": Double(uploads.count), "hashes_equal": 0, "hashes_different": 0, "unaccounted": 0,
            "stored_messages": 0, "silence_packets": 0, "unfinished": 0,
        ]
        var violations = chains.forks.map { "\($0): more than one session continues it" }
        for upload in uploads {
            if let failure = upload.failure, mustBeWhole || upload.report == nil {
                violations.append("\(upload.name): \(failure)")
            }
            if !upload.isWhole { figures["unfinished", default: 0] += 1 }
            let finding = stored(upload)
            figures["stored_messages", default: 0] += Double(finding.stored.count)
            figures["silence_packets", default: 0] += Double(finding.silence)
            figures["unaccounted", default: 0] += Double(unaccounted(upload, finding))
            violations += finding.violations
            let problem = difference(upload, finding)
            figures[problem == nil ? "hashes_equal" : "hashes_different", default: 0] += 1
            if let problem { violations.append("\(upload.name) (\(upload.user)): \(problem)") }
        }
        return CheckResult("native_audio", figures: figures, violations: violations)
    }

    private func stored(_ upload: NativeOutcome) -> Finding {
        var finding = Finding()
        for session in chains.sessions(with: upload.sessions) {
            for part in parts.bySession[session] ?? [] {
                do {
                    for packet in try parts.packets(part) {
                        if Self.silence.contains(packet) {
                            finding.silence += 1
                        } else {
                            finding.stored.append(packet)
                        }
                    }
                } catch {
                    finding.violations.append("\(upload.name): \(error)")
                }
            }
        }
        return finding
    }

    /// Acknowledged messages that are not in the stored audio.
    private func unaccounted(_ upload: NativeOutcome, _ finding: Finding) -> Int {
        let stored = Set(finding.stored)
        return (0..<upload.acknowledged).count { !stored.contains(upload.source.packet($0)) }
    }

    /// What is wrong with an upload's stored audio, or nil: it is what was sent, all of it, or at least up to what was
    /// acknowledged where the upload did not come to its end.
    private func difference(_ upload: NativeOutcome, _ finding: Finding) -> String? {
        let stored = finding.stored
        let count = UInt64(stored.count)
        let sent = (0..<min(count, upload.messages)).map { upload.source.packet($0) }
        let least = upload.isWhole ? upload.messages : upload.acknowledged
        if (least...max(least, upload.messages)).contains(count), Self.hash(sent) == Self.hash(stored) { return nil }
        let place = zip(sent, stored).enumerated().first { $0.element.0 != $0.element.1 }?.offset
        let counts = "\(upload.messages) sent, \(upload.acknowledged) acknowledged, \(count) stored"
        guard let place else { return counts }
        let there = PacketMark(of: stored[place]).map(\.description) ?? "a packet of \(stored[place].count) bytes"
        return "\(counts); where message \(place) belongs stands \(there)"
    }

    private static func hash(_ packets: [[UInt8]]) -> SHA256Digest {
        var hash = SHA256()
        for packet in packets {
            withUnsafeBytes(of: UInt32(packet.count).bigEndian) { hash.update(bufferPointer: $0) }
            packet.withUnsafeBytes { hash.update(bufferPointer: $0) }
        }
        return hash.finalize()
    }
}
