/// The query of `/v1/stream`, read and checked (docs/protocol.md).
///
/// Codec, rate, channels, language and source are those of `/v4/listen`, with the same refusals.
package struct NativeParameters: Equatable, Sendable {
    /// The subprotocol a device must offer.
    package static let subprotocol = "earshot.v1"

    package var session: SessionParameters
    /// The session that is to be continued.
    package var predecessor: SessionID?
    /// Number of the oldest message the device still has.
    package var first: UInt64
    /// What the device wants its acknowledgements to promise.
    package var durability: AckDurability

    /// Reads decoded query items; of a repeated name the last counts.
    ///
    /// - Throws: `ListenRefusal`.
    package init(query: [(name: String, value: String)], limits: Limits) throws(ListenRefusal) {
        let values = Dictionary(query.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
        predecessor = nil
        if let text = values["resume"] {
            guard let session = SessionID(text) else { throw .malformed("resume must be the session_id of a session") }
            predecessor = session
        }
        first = 0
        if let text = values["from"] {
            guard let number = UInt64(text), number <= Self.numberMaximum else {
                throw .malformed("from must be a whole number, 0 to \(Self.numberMaximum)")
            }
            first = number
        }
        durability = .fsynced
        if let text = values["ack"] {
            guard let wanted = AckDurability(rawValue: text) else {
                throw .malformed("ack must be one of: \(AckDurability.allowedNames)")
            }
            durability = wanted
        }
        session = try ListenParameters(query: query, limits: limits).session
    }

    /// Redis' Lua counts in doubles, whole up to twice this: a session may count on from here.
    package static let numberMaximum: UInt64 = 1 << 52
}
