import FoundationEssentials
import NIOCore

/// The messages the door sends (omi.md 2.2, 2.3), with the spaces the contract's examples have.
enum BackendAnswer {
    /// Why a conversation was not completed; names of the contract.
    enum Failure: String {
        /// No audio and no transcript of it ever came.
        case conversationNotFound = "conversation_not_found"
        /// The newest generation wants a durable job behind every request.
        case durableJobRequired = "durable_job_required"
        /// The store refused; it may be asked again.
        case processingFailed = "processing_failed"

        /// Whether asking again can never help.
        var isTerminal: Bool { self != .processingFailed }
    }

    /// 202: the second version of the timeline is spoken.
    static var timelineAcknowledgement: ByteBuffer {
        message(202, #"{"type": "audio_timeline_ack", "version": 2}"#)
    }

    /// 201: the conversation is complete.
    static func completed(_ request: BackendProcess) -> ByteBuffer { result(of: request, #""success": true"#) }

    /// 201: it is not, and why.
    static func failed(_ request: BackendProcess, _ failure: Failure) -> ByteBuffer {
        result(of: request, #""error": "\#(failure.rawValue)", "terminal": \#(failure.isTerminal)"#)
    }

    private static func result(of request: BackendProcess, _ fields: String) -> ByteBuffer {
        let generation = request.generation.map { #", "dispatch_generation": \#($0)"# } ?? ""
        return message(201, #"{"conversation_id": \#(quoted(request.conversation)), \#(fields)\#(generation)}"#)
    }

    private static func message(_ opcode: UInt32, _ json: String) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeInteger(opcode, endianness: .little)
        buffer.writeString(json)
        return buffer
    }

    private static func quoted(_ text: String) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        guard let data = try? encoder.encode(text) else { return "\"\"" }
        return String(decoding: data, as: UTF8.self)
    }
}
