#if canImport(FoundationEssentials)
    private import FoundationEssentials
#else
    private import Foundation
#endif

/// A text message of `/v1/stream`, understood (docs/protocol.md).
enum UploadMessage {
    /// What was opened.
    struct Opened: Equatable {
        let session: String
        let conversation: String
        let isResumed: Bool
        /// Number of the message to go on with.
        let next: UInt64
        let durability: UploadDurability
    }

    case session(Opened)
    case acknowledgement(next: UInt64, durability: UploadDurability)
    case segments([WireSegment])
    case deleted(ids: [String])
    /// The server will close; `retryAfter` is `nil` when it did not say when to come again.
    case closing(reason: String, retryAfter: Duration?)
    /// Something else with a type.
    case other(type: String)
    case unreadable

    init(_ text: String) {
        guard let shape = try? JSONDecoder().decode(Shape.self, from: Data(text.utf8)) else {
            self = .unreadable
            return
        }
        self = shape.message
    }

    private struct Shape: Decodable {
        private enum CodingKeys: String, CodingKey {
            case type
            case session = "session_id"
            case conversation = "conversation_id"
            case resumed
            case next
            case ack
            case durability
            case segments
            case ids = "segment_ids"
            case reason
            case retryAfter = "retry_after_ms"
        }

        let type: String
        var session: String?
        var conversation: String?
        var resumed: Bool?
        var next: UInt64?
        var ack: String?
        var durability: String?
        var segments: [WireSegment]?
        var ids: [String]?
        var reason: String?
        var retryAfter: Int64?

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            func optional<Value: Decodable>(_ key: CodingKeys) -> Value? {
                try? container.decodeIfPresent(Value.self, forKey: key)
            }
            type = try container.decode(String.self, forKey: .type)
            session = optional(.session)
            conversation = optional(.conversation)
            resumed = optional(.resumed)
            next = optional(.next)
            ack = optional(.ack)
            durability = optional(.durability)
            segments = optional(.segments)
            ids = optional(.ids)
            reason = optional(.reason)
            retryAfter = optional(.retryAfter)
        }

        var message: UploadMessage {
            switch type {
            case "session":
                guard let session, let next, let level = ack.flatMap(UploadDurability.init(rawValue:)),
                    session.utf8.count <= UploadLimits.sessionBytesMax, session.utf8.allSatisfy(\.isIDByte)
                else { return .unreadable }
                return .session(
                    Opened(
                        session: session, conversation: conversation ?? "", isResumed: resumed ?? false, next: next,
                        durability: level))
            case "ack":
                guard let next, let level = durability.flatMap(UploadDurability.init(rawValue:)) else {
                    return .unreadable
                }
                return .acknowledgement(next: next, durability: level)
            case "segment": return segments.map(UploadMessage.segments) ?? .unreadable
            case "segments_deleted": return ids.map(UploadMessage.deleted(ids:)) ?? .unreadable
            case "closing":
                let wait = retryAfter.map { min(max(.milliseconds($0), .zero), UploadLimits.retryAfterMax) }
                return .closing(reason: reason ?? "", retryAfter: wait)
            default: return .other(type: type)
            }
        }
    }
}

extension UInt8 {
    /// A byte of an id, which goes into a query as it is.
    fileprivate var isIDByte: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
