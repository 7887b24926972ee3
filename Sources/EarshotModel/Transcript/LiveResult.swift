package import NIOCore

/// A message from a worker to the gateway that holds a session's socket.
///
/// The wire form is one line, `kind session ordinal count`, then the text frame the device gets, so that a gateway
/// passes it on without parsing JSON.
package struct LiveResult: Equatable, Sendable {
    /// What the gateway does with it.
    package enum Kind: String, Sendable {
        /// Committed segments: delivered once each and in order; a gap is fetched.
        case final
        /// Text of an open utterance: dropped when the final of its ordinal was delivered.
        case interim
        /// Withdraws interim text that became nothing.
        case withdrawn
        /// Something else for the device, passed on as it is.
        case message
        /// Another connection of the device continues the session; its gateway closes the socket (4009).
        case taken
    }

    package var kind: Kind
    package var session: SessionID
    /// Ordinal of the first segment the message carries.
    package var ordinal: UInt64
    /// How many segments it carries.
    package var count: Int
    /// What the device gets, as text.
    package var text: String

    /// Makes a result.
    package init(kind: Kind, session: SessionID, ordinal: UInt64, count: Int, text: String) {
        self.kind = kind
        self.session = session
        self.ordinal = ordinal
        self.count = count
        self.text = text
    }

    /// The wire form.
    package func encoded() -> String { "\(kind.rawValue) \(session) \(ordinal) \(count)\n\(text)" }

    /// Reads the wire form; `nil` for anything else.
    package init?(decoding payload: ByteBuffer) {
        let view = payload.readableBytesView
        guard let newline = view.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        let header = String(decoding: view[..<newline], as: UTF8.self).split(separator: " ")
        guard header.count == 4, let kind = Kind(rawValue: String(header[0])), let session = SessionID(header[1]),
            let ordinal = UInt64(header[2]), let count = Int(header[3]), count >= 0
        else { return nil }
        self.init(
            kind: kind, session: session, ordinal: ordinal, count: count,
            text: String(decoding: view[view.index(after: newline)...], as: UTF8.self))
    }
}
