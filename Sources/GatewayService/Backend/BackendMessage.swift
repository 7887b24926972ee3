import EarshotModel
import FoundationEssentials
import NIOCore

/// A message of a back end: a little-endian opcode and what belongs to it (omi.md 2.2).
enum BackendMessage {
    case heartbeat
    /// Unix µs of the first sample, `nil` when the timestamp is no time, and whole samples of PCM16.
    case audio(time: Int64?, pcm: ByteBuffer)
    case transcript(BackendTranscript)
    case conversation(ConversationName)
    case process(BackendProcess)
    case sample(BackendSample)

    /// The opcodes a back end may send.
    enum Opcode: UInt32 {
        case heartbeat = 100
        case audio = 101
        case transcript = 102
        case conversation = 103
        case process = 104
        case sample = 105
    }

    /// The end of year 9999, up to which times have a written form.
    private static let latestTime = 253_402_300_799.0

    /// Whether a message is audio, which may be longer than others.
    static func isAudio(_ message: ByteBuffer) -> Bool {
        message.getInteger(at: message.readerIndex, endianness: .little) == Opcode.audio.rawValue
    }

    /// Whether a message names the conversation of what follows it.
    static func isConversation(_ message: ByteBuffer) -> Bool {
        message.getInteger(at: message.readerIndex, endianness: .little) == Opcode.conversation.rawValue
    }

    /// Reads a message.
    init(parsing message: ByteBuffer) throws(BackendViolation) {
        var bytes = message
        guard let number = bytes.readInteger(endianness: .little, as: UInt32.self) else {
            throw BackendViolation(.header, "a message begins with an opcode of 4 bytes")
        }
        switch Opcode(rawValue: number) {
        case .heartbeat: self = .heartbeat
        case .audio: self = try Self.audio(&bytes)
        case .transcript: self = .transcript(try BackendTranscript(try Self.json(bytes)))
        case .conversation: self = .conversation(try Self.conversation(try Self.text(bytes)))
        case .process: self = .process(try Self.json(bytes))
        case .sample: self = .sample(try BackendSample(try Self.json(bytes)))
        case nil: throw BackendViolation(.opcode, "unknown opcode; allowed: 100 to 105")
        }
    }

    /// A conversation's id out of a message.
    static func conversation(_ text: String) throws(BackendViolation) -> ConversationName {
        guard let name = ConversationName(text) else {
            throw BackendViolation(.conversation, "a conversation id must be \(ConversationName.rule)")
        }
        return name
    }

    private static func audio(_ bytes: inout ByteBuffer) throws(BackendViolation) -> BackendMessage {
        guard let bits = bytes.readInteger(endianness: .little, as: UInt64.self) else {
            throw BackendViolation(.audio, "audio begins with a timestamp of 8 bytes")
        }
        let seconds = Double(bitPattern: bits)
        let isTime = seconds.isFinite && (0...latestTime).contains(seconds)
        return .audio(time: isTime ? Int64((seconds * 1_000_000).rounded()) : nil, pcm: bytes)
    }

    private static func text(_ bytes: ByteBuffer) throws(BackendViolation) -> String {
        guard let text = String(validating: bytes.readableBytesView, as: UTF8.self) else {
            throw BackendViolation(.encoding, "text must be UTF-8")
        }
        return text
    }

    private static func json<Value: Decodable>(_ bytes: ByteBuffer) throws(BackendViolation) -> Value {
        do {
            return try JSONDecoder().decode(Value.self, from: Data(try text(bytes).utf8))
        } catch let violation as BackendViolation {
            throw violation
        } catch {
            // The decoder's own words may repeat what came, keys of providers included.
            throw BackendViolation(.json, "the payload must be a JSON object with the contract's fields and types")
        }
    }
}
