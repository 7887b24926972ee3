import AudioCodecs
package import AudioStorage
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

    /// Reads what the record names.
    package init(record: any SessionRecord, reader: StoredAudioReader) {
        self.record = record
        self.reader = reader
    }

    package func speech(
        _ stretches: [(session: String, times: Range<Int64>)], of conversation: String, user: UserID
    ) async throws(LaneFailure) -> StoredSpeech {
        let parts: [RecordedAudioPart]
        do throws(SessionRecordError) {
            parts = try await record.audioParts(ofConversation: conversation, user: user.text)
        } catch {
            throw LaneFailure.dependency(name: "postgres", reason: error.message)
        }
        guard !parts.isEmpty else { return .nothing }
        var clips: [[Int16]] = []
        // Stretches follow each other in time, so that one decoded part is enough to hold.
        var held: (object: String, samples: [Int16])?
        for stretch in stretches {
            let count = Int(stretch.times.upperBound - stretch.times.lowerBound) * Self.sampleRate / 1_000_000
            var clip: [Int16] = []
            for part in parts where part.session == stretch.session && Self.holds(part.audio, stretch.times) {
                if held?.object != part.audio.object {
                    guard let samples = try await decode(part.audio, user: user) else { return .gap }
                    held = (part.audio.object, samples)
                }
                clip += Self.cut(held?.samples ?? [], part.audio, stretch.times)
            }
            guard clip.count + Self.slackCount >= count else { return .gap }
            clips.append(clip)
        }
        return .clips(clips)
    }

    private static func holds(_ part: StoredAudioPart, _ times: Range<Int64>) -> Bool {
        part.captureStart < times.upperBound && part.captureEnd > times.lowerBound
    }

    private static func cut(_ samples: [Int16], _ part: StoredAudioPart, _ times: Range<Int64>) -> ArraySlice<Int16> {
        let places = [times.lowerBound, times.upperBound].map { time in
            min(max(Int(time - part.captureStart) * sampleRate / 1_000_000, 0), samples.count)
        }
        return samples[places[0]..<places[1]]
    }

    /// The part at 16 kHz; nil when it is damaged or gone.
    private func decode(_ part: StoredAudioPart, user: UserID) async throws(LaneFailure) -> [Int16]? {
        do {
            let decoded = try await reader.samples(of: part, user: user)
            var resampler = try Resampler(from: decoded.sampleRate, to: Self.sampleRate)
            var samples: [Int16] = []
            resampler.process(decoded.samples, into: &samples)
            resampler.flush(into: &samples)
            return samples
        } catch let error as ObjectStoreError where [.unavailable, .refused, .clockSkew].contains(error.code) {
            throw LaneFailure.dependency(name: "object store", reason: error.message)
        } catch {
            return nil
        }
    }
}
