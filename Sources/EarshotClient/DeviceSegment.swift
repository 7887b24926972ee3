/// A segment of the transcript, as last received, with the history of its text.
package struct DeviceSegment: Sendable, Equatable {
    /// A text that the segment had, and when it came.
    package struct Version: Sendable, Equatable {
        /// The text.
        package let text: String
        /// When it came, since the session's start.
        package let arrival: Duration
    }

    /// The segment's stable id.
    package let id: String
    /// The latest text.
    package internal(set) var text: String
    /// Where the segment begins, in seconds from the start of the conversation.
    package internal(set) var start: Double
    /// Where the segment ends, in seconds from the start of the conversation.
    package internal(set) var end: Double
    /// Whether the device's owner is speaking.
    package internal(set) var isUser: Bool
    /// The label of the speaker, such as `SPEAKER_00`.
    package internal(set) var speaker: String?
    /// The known person who is speaking.
    package internal(set) var personID: String?
    /// The texts in the order they came; the first interim result is first, the final one last.
    ///
    /// A message that repeats the text adds none. At most `DeviceClientLimits.versionsMax` are kept: the oldest, and
    /// the latest.
    package internal(set) var versions: [Version]

    /// When the segment first appeared, since the session's start.
    package var firstArrival: Duration { versions.first?.arrival ?? .zero }
    /// When the latest text came, since the session's start.
    package var lastArrival: Duration { versions.last?.arrival ?? .zero }

    mutating func update(to latest: WireSegment, at arrival: Duration) {
        start = latest.start ?? start
        end = latest.end ?? end
        isUser = latest.isUser ?? isUser
        speaker = latest.speaker ?? speaker
        personID = latest.personID ?? personID
        guard latest.text != text else { return }
        text = latest.text
        let version = Version(text: latest.text, arrival: arrival)
        if versions.count < DeviceClientLimits.versionsMax {
            versions.append(version)
        } else {
            versions[versions.count - 1] = version
        }
    }
}

extension DeviceSegment {
    init(_ first: WireSegment, at arrival: Duration) {
        id = first.id
        text = first.text
        start = first.start ?? 0
        end = first.end ?? 0
        isUser = first.isUser ?? false
        speaker = first.speaker
        personID = first.personID
        versions = [Version(text: first.text, arrival: arrival)]
    }
}
