import FoundationEssentials

/// A text message of a device, as far as the gateway acts on it (omi.md 1.6).
package enum ClientMessage: Equatable, Sendable {
    /// The first message of `/v4/web/listen`.
    case auth(token: String)
    /// Somebody spoke some segments, as the device's user says.
    case speakerAssigned(SpeakerAssignment)
    /// Accepted, ignored and counted under its name: images, client transcripts, onboarding, and assignments that name
    /// no person or no segments.
    case ignored(type: String)
    /// JSON with a type nobody knows, or without one.
    case unknown
    /// Not JSON.
    case notJSON

    /// The types that are counted by name; any other is `unknown`, so that a client cannot invent metric labels.
    private static let ignoredTypes: Set<String> = [
        "image_chunk", "suggested_transcript", "skip_question",
    ]

    private struct Shape: Decodable {
        var type: String?
        var token: String?
        var person: String?
        var personName: String?
        var segments: [String]?

        var assignment: SpeakerAssignment? {
            guard let person, let segments else { return nil }
            return SpeakerAssignment(person: person, personName: personName, segments: segments)
        }

        enum CodingKeys: String, CodingKey {
            case type
            case token
            case person = "person_id"
            case personName = "person_name"
            case segments = "segment_ids"
        }
    }

    /// Reads a message.
    package init(parsing text: String) {
        guard let shape = try? JSONDecoder().decode(Shape.self, from: Data(text.utf8)) else {
            let isJSON = (try? JSONDecoder().decode(AnyJSON.self, from: Data(text.utf8))) != nil
            self = isJSON ? .unknown : .notJSON
            return
        }
        switch shape.type {
        case "auth": self = shape.token.map(ClientMessage.auth) ?? .unknown
        case "speaker_assigned":
            self = shape.assignment.map(ClientMessage.speakerAssigned) ?? .ignored(type: "speaker_assigned")
        case let type? where Self.ignoredTypes.contains(type): self = .ignored(type: type)
        default: self = .unknown
        }
    }

    /// Accepts any JSON value, to tell JSON of another shape from text that is not JSON.
    private struct AnyJSON: Decodable {
        init(from decoder: any Decoder) throws {}
    }
}
