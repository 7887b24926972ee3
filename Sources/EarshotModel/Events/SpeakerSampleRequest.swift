/// A request to learn a person's voice from segments that were assigned to them by hand (omi.md sections 1.6 and 2.2).
package struct SpeakerSampleRequest: Codable, Equatable, Sendable {
    /// Derived from what is asked for, so that asking again is the same request.
    package var id: String
    package var uid: String
    package var conversation: String
    /// The person; `user` is the owner of the device.
    package var person: String
    package var personName: String?
    package var segments: [String]
    /// Unix µs.
    package var requestedAt: Int64
    /// Unix µs of the last try, when its audio was not to be had yet.
    package var triedAt: Int64?

    /// What tells it from the same asked for at another time.
    package var name: String { "\(id)/\(requestedAt)" }

    /// Makes a request.
    package init(
        user: UserID, conversation: String, person: String, personName: String?, segments: [String], at now: Int64
    ) {
        let name = ([user.text, conversation, person] + segments.sorted()).joined(separator: "/")
        id = UniqueID.derived(from: Self.namespace, name: name).description
        uid = user.text
        self.conversation = conversation
        self.person = person
        self.personName = personName
        self.segments = segments
        requestedAt = now
    }

    /// Any id that is the same everywhere.
    private static let namespace = UniqueID(high: 0x6561_7273_686f_7400, low: 0x7361_6d70_6c65_0001)

    private enum CodingKeys: String, CodingKey {
        case id
        case uid
        case conversation = "conversation_id"
        case person = "person_id"
        case personName = "person_name"
        case segments = "segment_ids"
        case requestedAt = "requested_at"
        case triedAt = "tried_at"
    }
}
