package import EarshotModel
package import NIOCore

/// What `ByteCounter` commits: which bytes of a session it went through, and a hash of them.
package struct ByteEvent: Equatable, Sendable {
    package var session: SessionID
    package var from: UInt64
    package var to: UInt64
    package var hash: UInt64
    /// Whether the session's marker was passed with it.
    package var isEnd: Bool

    /// Covers some bytes from an offset on.
    package init(session: SessionID, from: UInt64, bytes: ByteBuffer, isEnd: Bool) {
        self.session = session
        self.from = from
        self.to = from + UInt64(bytes.readableBytes)
        self.hash = Partition.fnv1a64(bytes.readableBytesView)
        self.isEnd = isEnd
    }

    /// One line of text.
    package var text: String { "bytes \(session) \(from) \(to) \(hash) \(isEnd ? 1 : 0)" }

    /// Reads the line; `nil` for any other event.
    package init?(_ payload: ByteBuffer) {
        let words = String(buffer: payload).split(separator: " ")
        guard words.count == 6, words[0] == "bytes", let session = SessionID(words[1]), let from = UInt64(words[2]),
            let to = UInt64(words[3]), let hash = UInt64(words[4])
        else { return nil }
        self.session = session
        self.from = from
        self.to = to
        self.hash = hash
        self.isEnd = words[5] == "1"
    }
}
