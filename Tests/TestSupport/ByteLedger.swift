package import EarshotModel
package import NIOCore

/// What a test sent, session by session, to compare with the events that came of it.
package struct ByteLedger: Sendable {
    private var sent: [SessionID: ByteBuffer] = [:]

    /// Nothing was sent.
    package init() {}

    /// Notes bytes that were sent, in their order.
    package mutating func note(_ session: SessionID, _ frames: [ByteBuffer]) {
        for frame in frames { sent[session, default: ByteBuffer()].writeImmutableBuffer(frame) }
    }

    /// Everything sent so far.
    package var total: Int { sent.values.reduce(0) { $0 + $1.readableBytes } }
    /// Bytes sent of a session.
    package func count(_ session: SessionID) -> UInt64 { UInt64(sent[session]?.readableBytes ?? 0) }

    /// What is wrong with events that stand in the order of their stream: each session's ranges must follow each other
    /// without a hole or an overlap from 0 on, hold the very bytes sent, and reach the end.
    ///
    /// When more may follow, `isWhole` is false and ranges need not reach the end.
    package func violations(in events: [ByteEvent], isWhole: Bool = true) -> [String] {
        var found: [String] = []
        var reached: [SessionID: UInt64] = [:]
        var ended: Set<SessionID> = []
        for event in events {
            let name = String(event.session.description.suffix(6))
            let expected = reached[event.session, default: 0]
            if event.from != expected { found.append("\(name): \(event.from)..<\(event.to) follows \(expected)") }
            if ended.contains(event.session) { found.append("\(name): an event behind its end") }
            if event.isEnd { ended.insert(event.session) }
            reached[event.session] = event.to
            let length = Int(event.to - event.from)
            let bytes = sent[event.session]?.getSlice(at: Int(event.from), length: length)
            if bytes.map({ Partition.fnv1a64($0.readableBytesView) }) != event.hash {
                found.append("\(name): \(event.from)..<\(event.to) holds other bytes than were sent")
            }
        }
        guard isWhole else { return found }
        for (session, bytes) in sent where reached[session, default: 0] != UInt64(bytes.readableBytes) {
            let name = String(session.description.suffix(6))
            found.append("\(name): \(reached[session, default: 0]) of \(bytes.readableBytes) bytes arrived")
        }
        return found
    }
}
