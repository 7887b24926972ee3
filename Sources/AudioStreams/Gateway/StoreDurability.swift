/// What an answer of Redis to a write is worth.
package enum StoreDurability: Sendable {
    /// The server has it in memory, as far as anybody can tell.
    case memory
    /// The server had it on disk before it answered (`appendfsync always`).
    case disk
    /// It is on disk soon, and `AudioAppender.whenOnDisk` says when.
    case diskLater
}
