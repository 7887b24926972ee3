import CLibPQ

/// Owns one `PGcancel`: what is needed to ask the server to stop a connection's statement.
///
/// Why `@unchecked Sendable` is safe: the `PGcancel` never changes after it was made, and libpq's documentation allows
/// `PQcancel` from a thread other than the one that uses the connection. Why it is needed: that other thread is the
/// whole point of it.
@safe
final class CancelHandle: @unchecked Sendable {
    private let raw: OpaquePointer

    init(owning raw: OpaquePointer) {
        unsafe self.raw = unsafe raw
    }

    deinit { unsafe PQfreeCancel(raw) }

    /// Asks the server to cancel; blocks until it has hung up, for ever if it is stopped.
    ///
    /// Returns why it failed.
    func cancel() -> String? {
        var message = [CChar](repeating: 0, count: 256)
        let isSent = unsafe message.withUnsafeMutableBufferPointer { buffer in
            unsafe PQcancel(raw, buffer.baseAddress, Int32(buffer.count)) != 0
        }
        guard !isSent else { return nil }
        return String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
