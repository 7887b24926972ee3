import NIOCore
import NIOWebSocket

/// Puts the frames of a connection together into messages and holds it to RFC 6455; pure, one a connection.
struct MessageAssembler {
    /// What one frame led to.
    enum Event: Equatable {
        case binary(ByteBuffer)
        case text(String)
        case ping(ByteBuffer)
        case pong
        case close(code: UInt16?)
        /// A fragment was kept.
        case incomplete
        /// The peer broke a rule; the code says which.
        case violation(WebSocketErrorCode, String)
    }

    private let maximum: Int
    private var fragments: ByteBuffer?
    private var opcode = WebSocketOpcode.binary

    init(messageBytesMaximum: Int) { maximum = messageBytesMaximum }

    mutating func receive(_ frame: WebSocketFrame) -> Event {
        guard frame.maskKey != nil else { return .violation(.protocolError, "client frames must be masked") }
        guard !frame.rsv1, !frame.rsv2, !frame.rsv3 else {
            return .violation(.protocolError, "no extension was negotiated")
        }
        switch frame.opcode {
        case .binary, .text:
            guard fragments == nil else { return .violation(.protocolError, "a fragmented message is unfinished") }
            guard frame.length <= maximum else { return tooLarge }
            opcode = frame.opcode
            if frame.fin { return message(frame.unmaskedData) }
            fragments = frame.unmaskedData
            return .incomplete
        case .continuation: return continued(frame)
        case .ping: return .ping(frame.unmaskedData)
        case .pong: return .pong
        case .connectionClose: return closing(frame.unmaskedData)
        default: return .violation(.protocolError, "unknown opcode")
        }
    }

    private var tooLarge: Event { .violation(.messageTooLarge, "messages may have at most \(maximum) bytes") }

    private mutating func continued(_ frame: WebSocketFrame) -> Event {
        guard var whole = fragments else { return .violation(.protocolError, "nothing to continue") }
        guard whole.readableBytes + frame.length <= maximum else { return tooLarge }
        // Else there are two holders, and each fragment copies all before it.
        fragments = nil
        whole.writeImmutableBuffer(frame.unmaskedData)
        guard frame.fin else {
            fragments = whole
            return .incomplete
        }
        return message(whole)
    }

    private func message(_ data: ByteBuffer) -> Event {
        guard opcode == .text else { return .binary(data) }
        guard let text = String(validating: data.readableBytesView, as: UTF8.self) else {
            return .violation(.dataInconsistentWithMessage, "text must be UTF-8")
        }
        return .text(text)
    }

    private func closing(_ data: ByteBuffer) -> Event {
        switch data.readableBytes {
        case 0: return .close(code: nil)
        case 1: return .violation(.protocolError, "a close has no code of one byte")
        default:
            let code = data.getInteger(at: data.readerIndex, as: UInt16.self) ?? 0
            let isLegal = (1000...1003).contains(code) || (1007...1014).contains(code) || (3000...4999).contains(code)
            guard isLegal else { return .violation(.protocolError, "illegal close code") }
            guard String(validating: data.readableBytesView.dropFirst(2), as: UTF8.self) != nil else {
                return .violation(.dataInconsistentWithMessage, "a close reason must be UTF-8")
            }
            return .close(code: code)
        }
    }
}
