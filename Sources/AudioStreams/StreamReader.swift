package import EarshotModel

/// Reads many partitions of one kind of stream at once and waits when there is nothing.
package protocol StreamReader: Sendable {
    /// Returns entries behind the cursors as soon as there are any, or nothing after `block`.
    ///
    /// Reading changes nothing in Redis, so a read that was interrupted is simply repeated.
    func read(_ stream: StreamKind, after cursors: [Partition: StreamPosition], count: Int, block: Duration)
        async throws(HandOffError) -> [Partition: [StreamEntry]]
    /// Ends a waiting `read` at once.
    func interrupt()
}
