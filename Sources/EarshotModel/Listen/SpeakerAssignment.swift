/// A device says who spoke some segments (omi.md 1.6).
package struct SpeakerAssignment: Equatable, Sendable {
    /// The person's id; `KnownVoice.owner` is the device's owner.
    package let person: String
    package let personName: String?
    /// Ids of segments that person spoke.
    package let segments: [String]

    /// Makes an assignment; `nil` for one that breaks `rule`.
    package init?(person: String, personName: String?, segments: [String]) {
        guard Self.isLegal(person: person, segments: segments) else { return nil }
        self.person = person
        self.personName = personName.map { String($0.prefix(Self.nameLengthMaximum)) }
        self.segments = segments
    }

    /// What a refusal may say about the rule.
    package static let rule =
        "a person's id, and 1 to 1000 ids of segments, each of 1 to 128 bytes without slashes and control characters"

    private static let segmentsMaximum = 1_000
    private static let nameLengthMaximum = 128

    /// Whether ids may go into keys and into the record.
    package static func isLegal(person: String, segments: [String]) -> Bool {
        (1...segmentsMaximum).contains(segments.count) && (segments + [person]).allSatisfy(isLegal)
    }

    private static func isLegal(id: String) -> Bool {
        (1...128).contains(id.utf8.count) && id != "." && id != ".."
            && id.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "/") }
    }
}
