import NIOCore
import NIOWebSocket
import Testing

@testable import EarshotClient

@Suite("WebSocket message assembler")
struct WebSocketMessageAssemblerTests {
    private func frame(_ opcode: WebSocketOpcode, _ text: String = "", fin: Bool = true) -> WebSocketFrame {
        WebSocketFrame(fin: fin, opcode: opcode, data: ByteBuffer(string: text))
    }

    private func failure(_ action: WebSocketMessageAssembler.Action) -> UInt16? {
        if case .fail(let code, _) = action { code } else { nil }
    }

    @Test("Whole and fragmented messages are delivered, control frames come between")
    func fragments() {
        var assembler = WebSocketMessageAssembler(bytesMax: 100)
        #expect(assembler.receive(frame(.text, "whole")) == .deliver(.text("whole")))
        #expect(assembler.receive(frame(.text, "", fin: false)) == .none)
        #expect(assembler.receive(frame(.continuation, "a", fin: false)) == .none)
        #expect(assembler.receive(frame(.ping, "p")) == .pong(ByteBuffer(string: "p")))
        #expect(assembler.receive(frame(.pong, "x")) == .none)
        #expect(assembler.receive(frame(.continuation, "b", fin: false)) == .none)
        #expect(assembler.receive(frame(.continuation, "")) == .deliver(.text("ab")))
        #expect(assembler.receive(frame(.binary, "z", fin: false)) == .none)
        #expect(assembler.receive(frame(.continuation, "y")) == .deliver(.binary([0x7A, 0x79])))
        #expect(assembler.receive(frame(.text, "")) == .deliver(.text("")))
    }

    @Test("A character may be divided between fragments")
    func dividedCharacter() {
        var assembler = WebSocketMessageAssembler(bytesMax: 100)
        let bytes = [UInt8]("ä".utf8)
        let first = WebSocketFrame(fin: false, opcode: .text, data: ByteBuffer(bytes: bytes.prefix(1)))
        let second = WebSocketFrame(fin: true, opcode: .continuation, data: ByteBuffer(bytes: bytes.suffix(1)))
        #expect(assembler.receive(first) == .none)
        #expect(assembler.receive(second) == .deliver(.text("ä")))
    }

    @Test("Frames out of order fail as protocol errors")
    func order() {
        var assembler = WebSocketMessageAssembler(bytesMax: 100)
        #expect(failure(assembler.receive(frame(.continuation, "a"))) == 1002)
        #expect(assembler.receive(frame(.text, "a", fin: false)) == .none)
        #expect(failure(assembler.receive(frame(.binary, "b"))) == 1002)
    }

    @Test("Masked frames, reserved bits and unknown opcodes fail as protocol errors")
    func forbidden() throws {
        var assembler = WebSocketMessageAssembler(bytesMax: 100)
        let masked = WebSocketFrame(fin: true, opcode: .text, maskKey: .random(), data: ByteBuffer(string: "a"))
        #expect(failure(assembler.receive(masked)) == 1002)
        for bit in 0..<3 {
            let reserved = WebSocketFrame(
                fin: true, rsv1: bit == 0, rsv2: bit == 1, rsv3: bit == 2, opcode: .text, maskKey: nil,
                data: ByteBuffer())
            #expect(failure(assembler.receive(reserved)) == 1002)
        }
        let unknown = try #require(WebSocketOpcode(encodedWebSocketOpcode: 3))
        #expect(failure(assembler.receive(frame(unknown, "a"))) == 1002)
    }

    @Test("The bound counts all fragments together; exactly the bound passes")
    func bound() {
        var assembler = WebSocketMessageAssembler(bytesMax: 4)
        #expect(assembler.receive(frame(.text, "ab", fin: false)) == .none)
        #expect(assembler.receive(frame(.continuation, "cd")) == .deliver(.text("abcd")))
        #expect(assembler.receive(frame(.text, "ab", fin: false)) == .none)
        #expect(failure(assembler.receive(frame(.continuation, "cde"))) == 1009)
        #expect(failure(assembler.receive(frame(.binary, "abcde"))) == 1009)
    }

    @Test("Text that is not UTF-8 fails as such")
    func invalidText() {
        var assembler = WebSocketMessageAssembler(bytesMax: 100)
        let invalid = WebSocketFrame(fin: true, opcode: .text, data: ByteBuffer(bytes: [0xC3, 0x28]))
        #expect(failure(assembler.receive(invalid)) == 1007)
    }

    @Test("Close frames have a code and a reason, a code, or nothing; never half a code")
    func close() {
        var assembler = WebSocketMessageAssembler(bytesMax: 100)
        func receive(_ bytes: [UInt8]) -> WebSocketMessageAssembler.Action {
            assembler.receive(WebSocketFrame(fin: true, opcode: .connectionClose, data: ByteBuffer(bytes: bytes)))
        }
        #expect(receive([]) == .close(code: nil, reason: ""))
        #expect(receive([0x03, 0xE8]) == .close(code: 1000, reason: ""))
        #expect(receive([0x03, 0xF0, 0x68, 0x69]) == .close(code: 1008, reason: "hi"))
        #expect(failure(receive([3])) == 1002)
    }
}
