#if canImport(FoundationEssentials)
    private import FoundationEssentials
#else
    private import Foundation
#endif

/// A text message of the server, understood.
enum WireMessage {
    case ping
    case segments([WireSegment])
    case event(WireEvent)
    /// Neither of the three shapes.
    case unreadable

    init(_ text: String) {
        guard text != "ping" else {
            self = .ping
            return
        }
        let data = Data(text.utf8)
        // What JSON begins with tells a list of segments from an event.
        switch text.utf8.first(where: { $0 > 0x20 }) {
        case UInt8(ascii: "["):
            let segments = try? JSONDecoder().decode([WireSegment].self, from: data)
            self = segments.map(Self.segments) ?? .unreadable
        case UInt8(ascii: "{"):
            let event = try? JSONDecoder().decode(WireEvent.self, from: data)
            self = event.map(Self.event) ?? .unreadable
        default: self = .unreadable
        }
    }

    /// Returns the message with which a web client introduces itself.
    static func authentication(token: String) -> String {
        struct Authentication: Encodable {
            let type = "auth"
            let token: String
        }
        let data = try? JSONEncoder().encode(Authentication(token: token))
        guard let data else { preconditionFailure("a token cannot be written as JSON") }
        return String(decoding: data, as: UTF8.self)
    }
}

/// A segment as the server sends it; what older servers leave out is optional.
struct WireSegment: Decodable {
    private enum CodingKeys: String, CodingKey {
        case id
        case text
        case start
        case end
        case isUser = "is_user"
        case speaker
        case personID = "person_id"
    }

    let id: String
    let text: String
    let start: Double?
    let end: Double?
    let isUser: Bool?
    let speaker: String?
    let personID: String?
}

/// The parts of an event that a session acts on.
struct WireEvent: Decodable {
    private enum CodingKeys: String, CodingKey {
        case type
        case status
        case success
        case segmentIDs = "segment_ids"
    }

    let type: String
    let status: String?
    let success: Bool?
    let segmentIDs: [String]?

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        type = try container.decode(String.self, forKey: .type)
        // Other events may use these names for other things; that must not hide the event.
        status = try? container.decodeIfPresent(String.self, forKey: .status)
        success = try? container.decodeIfPresent(Bool.self, forKey: .success)
        segmentIDs = try? container.decodeIfPresent([String].self, forKey: .segmentIDs)
    }
}
