import NIOCore
import NIOWebSocket

/// Puts messages together from the frames of a server; decides, and does nothing else.
struct WebSocketMessageAssembler {
    enum Action: Equatable {
        case none
        case deliver(DeviceMessage)
        case pong(ByteBuffer)
        case close(code: UInt16?, reason: String)
        case fail(code: UInt16, reason: String)
    }

    private struct Partial {
        let isText: Bool
        var bytes: ByteBuffer
    }

    private let bytesMax: Int
    /// The message whose last fragment has not come yet.
    private var partial: Partial?

    init(bytesMax: Int) {
        self.bytesMax = bytesMax
    }

    mutating func receive(_ frame: WebSocketFrame) -> Action {
        guard frame.maskKey == nil else { return .fail(code: 1002, reason: "the server masked a frame") }
        guard !frame.rsv1, !frame.rsv2, !frame.rsv3 else {
            return .fail(code: 1002, reason: "the server used an extension that was not agreed on")
        }
        switch frame.opcode {
        case .text, .binary:
            guard partial == nil else {
                return .fail(code: 1002, reason: "the server began a message inside another")
            }
            return add(frame.data, to: Partial(isText: frame.opcode == .text, bytes: ByteBuffer()), isLast: frame.fin)
        case .continuation:
            guard let begun = partial else {
                return .fail(code: 1002, reason: "the server continued a message it had not begun")
            }
            partial = nil
            return add(frame.data, to: begun, isLast: frame.fin)
        case .ping: return .pong(frame.data)
        case .pong: return .none
        case .connectionClose: return close(frame.data)
        default: return .fail(code: 1002, reason: "the server sent a frame of an unknown kind")
        }
    }

    private mutating func add(_ bytes: ByteBuffer, to begun: Partial, isLast: Bool) -> Action {
        var message = begun
        guard message.bytes.readableBytes + bytes.readableBytes <= bytesMax else {
            return .fail(code: 1009, reason: "the server sent a message over \(bytesMax) bytes")
        }
        if message.bytes.readableBytes == 0 {
            message.bytes = bytes
        } else {
            message.bytes.writeImmutableBuffer(bytes)
        }
        guard isLast else {
            partial = message
            return .none
        }
        let view = message.bytes.readableBytesView
        guard message.isText else { return .deliver(.binary([UInt8](view))) }
        guard let text = String(validating: view, as: UTF8.self) else {
            return .fail(code: 1007, reason: "the server sent text that is not UTF-8")
        }
        return .deliver(.text(text))
    }

    private func close(_ payload: ByteBuffer) -> Action {
        var payload = payload
        guard payload.readableBytes > 0 else { return .close(code: nil, reason: "") }
        guard let code = payload.readInteger(as: UInt16.self) else {
            return .fail(code: 1002, reason: "the server sent half a close code")
        }
        return .close(code: code, reason: String(decoding: payload.readableBytesView, as: UTF8.self))
    }
}
