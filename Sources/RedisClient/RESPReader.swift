import CHiredis
import NIOCore

/// Owns one `redisReader` of hiredis, which turns bytes into replies.
///
/// hiredis keeps the bytes of an incomplete reply itself, so whatever arrives is fed at once and `next()` is called
/// until it yields nothing. The first error is final: the reader cannot find the start of the next reply again, and the
/// connection must be closed.
///
/// Limits: RESP2 only. hiredis 0.14 refuses arrays nested more than seven deep; `XREAD` needs five. A reply whose bytes
/// exceed `maximumReplyBytes` is refused before it is complete. The length a server announces for one array is
/// allocated by hiredis up front (8 bytes an element), so the server is trusted to that extent.
///
/// A `redisReader` belongs to one thread at a time: this class is not `Sendable` and lives on one event loop.
@safe
final class RESPReader {
    private let reader: UnsafeMutablePointer<redisReader>
    private let maximumReplyBytes: Int
    /// Bytes fed since the last complete reply, less what hiredis had already moved past at that point.
    private var bytesOfOpenReply = 0
    private var failure: RedisError?

    /// Creates a reader; throws `.overloaded` when there is no memory for it.
    init(maximumReplyBytes: Int) throws(RedisError) {
        guard let reader = unsafe redisReaderCreate() else {
            throw RedisError(.overloaded, "no memory for a reply reader")
        }
        unsafe self.reader = unsafe reader
        self.maximumReplyBytes = maximumReplyBytes
    }

    deinit {
        unsafe redisReaderFree(reader)
    }

    /// Hands over bytes as they came from the socket.
    func feed(_ bytes: ByteBuffer) throws(RedisError) {
        if let failure { throw failure }
        guard bytes.readableBytes > 0 else { return }
        let status = unsafe bytes.withUnsafeReadableBytes { raw in
            unsafe redisReaderFeed(reader, raw.bindMemory(to: CChar.self).baseAddress, raw.count)
        }
        guard status == REDIS_OK else { throw fail() }
        bytesOfOpenReply += bytes.readableBytes
    }

    /// The next complete reply, or nil when more bytes are needed.
    func next() throws(RedisError) -> RESPValue? {
        if let failure { throw failure }
        var object: UnsafeMutableRawPointer?
        guard unsafe redisReaderGetReply(reader, &object) == REDIS_OK else { throw fail() }
        guard let object = unsafe object else {
            guard bytesOfOpenReply <= maximumReplyBytes else { throw failForSize() }
            return nil
        }
        defer { unsafe freeReplyObject(object) }
        bytesOfOpenReply = unsafe chiredis_reader_unread(reader)
        return unsafe Self.value(of: object.assumingMemoryBound(to: redisReply.self))
    }

    private func fail() -> RedisError {
        let text = unsafe String(cString: chiredis_reader_error(reader))
        let error = RedisError(.protocolViolation, "the server sent something that is not RESP2: \(text)")
        failure = error
        return error
    }

    private func failForSize() -> RedisError {
        let error = RedisError(
            .protocolViolation, "one reply is larger than the \(maximumReplyBytes) bytes allowed")
        failure = error
        return error
    }

    /// Copies a reply out of hiredis's memory.
    ///
    /// Recursion is bounded by hiredis's own depth limit.
    private static func value(of reply: UnsafePointer<redisReply>) -> RESPValue {
        switch unsafe chiredis_reply_type(reply) {
        case REDIS_REPLY_STRING: unsafe .bulk(ByteBuffer(bytes: bytes(of: reply)))
        case REDIS_REPLY_STATUS: unsafe .simple(String(decoding: bytes(of: reply), as: UTF8.self))
        case REDIS_REPLY_ERROR: unsafe .error(String(decoding: bytes(of: reply), as: UTF8.self))
        case REDIS_REPLY_INTEGER: unsafe .integer(chiredis_reply_integer(reply))
        case REDIS_REPLY_ARRAY: unsafe .array(elements(of: reply))
        case REDIS_REPLY_NIL: .null
        case let type: preconditionFailure("hiredis produced reply type \(type), which RESP2 does not have")
        }
    }

    private static func bytes(of reply: UnsafePointer<redisReply>) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: chiredis_reply_bytes(reply), count: chiredis_reply_length(reply))
    }

    private static func elements(of reply: UnsafePointer<redisReply>) -> [RESPValue] {
        let count = unsafe chiredis_reply_count(reply)
        var elements: [RESPValue] = []
        elements.reserveCapacity(count)
        for index in 0..<count {
            // hiredis fills every slot before it hands the array out.
            guard let element = unsafe chiredis_reply_element(reply, index) else { continue }
            unsafe elements.append(value(of: element))
        }
        return elements
    }
}
