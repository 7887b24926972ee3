package import AudioStreams
package import EarshotModel

/// How the entries of a kind of stream become lanes.
package struct LaneRouting: Sendable {
    /// What becomes of one entry.
    package enum Route: Sendable {
        case lane(LaneEntry)
        /// The group does not want it; it counts as passed.
        case unwanted
        /// It cannot be read; it goes to the dead letters with the reason.
        case unreadable(String)
    }

    package let stream: StreamKind
    /// Routes an entry; the second argument is its count in the stream.
    package let route: @Sendable (StreamEntry, UInt64) -> Route

    /// One lane a session, in the order of its frames.
    ///
    /// - Parameter wanted: the group's flag; markers reach every group.
    /// - Returns: the routing of the audio stream.
    package static func sessions(wanted: WorkerFlags) -> LaneRouting {
        LaneRouting(stream: .audio) { entry, _ in
            let audio: AudioEntry
            do throws(AudioEntry.DecodingFailure) {
                audio = try AudioEntry(decoding: entry.payload)
            } catch {
                return .unreadable("undecodable: \(error)")
            }
            if case .end = audio.content {
                return .lane(
                    LaneEntry(
                        entry: entry, lane: .session(audio.session), firstSequence: audio.firstSequence,
                        nextSequence: .max, audio: audio))
            }
            guard !audio.flags.isDisjoint(with: wanted) else { return .unwanted }
            return .lane(
                LaneEntry(
                    entry: entry, lane: .session(audio.session), firstSequence: audio.firstSequence,
                    nextSequence: audio.nextSequence, audio: audio))
        }
    }

    /// One lane for everything, in the order of the stream; entries are numbered by their place in it.
    package static func wholeStream(_ stream: StreamKind) -> LaneRouting {
        LaneRouting(stream: stream) { entry, count in
            .lane(
                LaneEntry(entry: entry, lane: .stream, firstSequence: count, nextSequence: count + 1, audio: nil))
        }
    }
}
