import AudioCodecs
package import AudioStorage
package import AudioStreams
package import EarshotModel
package import SessionRecord
package import WorkerRuntime

/// The stored parts of conversations, as the record names them, in every format.
package struct StoredConversationAudio: StoredAudioReading {
    private static let sampleRate = 16_000
    /// Audio that may be missing at a stretch's ends: the rounding of times to packets.
    private static let slackCount = sampleRate / 20

    private let record: any SessionRecord
    private let reader: StoredAudioReader
    private let handOff: any HandOff

    /// Reads what the record names; the hand-off says whether more is to come.
    package init(record: any SessionRecord, reader: StoredAudioReader, handOff: any HandOff) {
        self.record = record
        self.reader = reader
        self.handOff = handOff
    }

    package func speech(
        _ stretches: [SpeechStretch], of conversation: String, user: UserID, in partition: Partition
    ) async throws(LaneFailure) -> StoredSpeech {
        // Asked before the record: what is stored between the two looks is then found, and not missed.
        let sessions = try await sessions(of: stretches, in: partition)
        let parts: [RecordedAudioPart]
        do throws(SessionRecordError) {
            parts = try await record.audioParts(ofConversation: conversation, user: user.text)
        } catch {
            throw LaneFailure.dependency(name: "postgres", reason: error.message)
        }
        let found = try await cut(stretches, out: parts, user: user)
        guard found == .gap || parts.isEmpty else { return found }
        if stretches.contains(where: { Self.isBehind(parts, $0, sessions) }) { return .behind }
        return parts.isEmpty ? .nothing : .gap
    }

    /// The audio of stretches; `gap` when some is missing.
    private func cut(
        _ stretches: [SpeechStretch], out parts: [RecordedAudioPart], user: UserID
    ) async throws(LaneFailure) -> StoredSpeech {
        var clips: [[Int16]] = []
        // Stretches follow each other in time, so that one decoded part is enough to hold.
        var held: (object: String, samples: [Int16])?
        for stretch in stretches {
            let count = Int(stretch.times.upperBound - stretch.times.lowerBound) * Self.sampleRate / 1_000_000
            var clip: [Int16] = []
            var reached = stretch.times.lowerBound
            for part in parts where stretch.takes(part.session) {
                let times =
                    max(
                        reached, part.audio.captureStart)..<max(
                        reached, part.audio.captureStart, min(stretch.times.upperBound, part.audio.captureEnd))
                guard !times.isEmpty else { continue }
                if held?.object != part.audio.object {
                    switch await decode(part.audio, user: user) {
                    case .success(let samples): held = (part.audio.object, samples)
                    case .failure(let miss): return miss.speech
                    }
                }
                clip += Self.cut(held?.samples ?? [], part.audio, times)
                reached = times.upperBound
            }
            guard clip.count + Self.slackCount >= count else { return .gap }
            clips.append(clip)
        }
        return .clips(clips)
    }

    private static func cut(_ samples: [Int16], _ part: StoredAudioPart, _ times: Range<Int64>) -> ArraySlice<Int16> {
        let places = [times.lowerBound, times.upperBound].map { time in
            min(max(Int(time - part.captureStart) * sampleRate / 1_000_000, 0), samples.count)
        }
        return samples[places[0]..<places[1]]
    }

    // MARK: What is still to come

    /// The stretches' sessions that the registry still has.
    private func sessions(
        of stretches: [SpeechStretch], in partition: Partition
    ) async throws(LaneFailure) -> [String: RegisteredSession] {
        var found: [String: RegisteredSession] = [:]
        for name in stretches.reduce(into: Set<String>(), { $0.formUnion($1.sessions) }) {
            guard let id = SessionID(name) else { continue }
            do throws(HandOffError) {
                found[name] = try await handOff.session(id, group: .privateCloud, in: partition)
            } catch {
                throw LaneFailure.dependency(name: "redis", reason: "\(error)")
            }
        }
        return found
    }

    /// Whether audio of a stretch may still come: no recorded part ends behind it, and a session it may be of is not
    /// through, or has more parts than the record knows.
    private static func isBehind(
        _ parts: [RecordedAudioPart], _ stretch: SpeechStretch, _ sessions: [String: RegisteredSession]
    ) -> Bool {
        let own = parts.filter { stretch.takes($0.session) }
        guard !own.contains(where: { $0.audio.captureEnd >= stretch.times.upperBound }) else { return false }
        return stretch.sessions.contains { name in
            guard let session = sessions[name], session.parameters.flags.contains(.privateCloud) else { return false }
            let recorded = own.count { $0.session == name }
            // A session every group has passed, but this one never, is of a fleet that stores nothing.
            return !session.progress.isDone && !session.isCompleted || UInt64(recorded) < session.progress.events
        }
    }

    // MARK: Parts

    /// Why a part could not be had.
    private struct Miss: Error { let speech: StoredSpeech }

    /// The part at 16 kHz.
    private func decode(_ part: StoredAudioPart, user: UserID) async -> Result<[Int16], Miss> {
        do {
            let decoded = try await reader.samples(of: part, user: user)
            var resampler = try Resampler(from: decoded.sampleRate, to: Self.sampleRate)
            var samples: [Int16] = []
            resampler.process(decoded.samples, into: &samples)
            resampler.flush(into: &samples)
            return .success(samples)
        } catch let error as ObjectStoreError {
            switch error.code {
            case .unavailable, .refused, .clockSkew: return .failure(Miss(speech: .away(error.message)))
            case .notFound: return .failure(Miss(speech: .vanished))
            default: return .failure(Miss(speech: .gap))
            }
        } catch {
            return .failure(Miss(speech: .gap))
        }
    }
}
