import AudioStreams
import EarshotModel
import NIOCore
import TestSupport

/// A gateway as the network and a stalled machine can make it.
///
/// What it sends is executed in order, but a connection may break at any point; then a rest of what was sent is
/// executed later, interleaved with anything, or never. What got no answer is sent again, in order, on the next
/// connection.
struct FuzzGateway {
    enum Operation {
        case append(session: Int, first: UInt64, count: UInt64)
        /// The tail check of what was appended up to `through`.
        case tail(session: Int, through: UInt64)
        case end(session: Int)
        /// What was acknowledged is noted.
        case note(session: Int, last: UInt64)
    }

    struct Session {
        let test: TestSession
        /// Whose connection it is: the sessions of one device are a chain.
        let device: Int
        var epoch = FencingToken("")
        var sent: UInt64 = 0
        /// Frames the device was told to forget.
        var acknowledged: UInt64 = 0
        /// The gateway ended it, or found it lost.
        var isClosed = false
    }

    var sessions: [Session] = []
    /// Sent or to be sent, and not answered, in order.
    var unanswered: [Operation] = []

    /// Draws something to send.
    mutating func act(_ random: inout SeededGenerator) {
        let open = sessions.indices.filter { !sessions[$0].isClosed }
        guard let index = open.randomElement(using: &random) else { return }
        if random.chance(0.04) {
            sessions[index].isClosed = true
            unanswered.append(.end(session: index))
            return
        }
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let count = UInt64.random(in: 1...3, using: &random)
            unanswered.append(.append(session: index, first: sessions[index].sent, count: count))
            sessions[index].sent += count
        }
        unanswered.append(.tail(session: index, through: sessions[index].sent))
    }
}
