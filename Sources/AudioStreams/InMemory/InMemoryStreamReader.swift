import EarshotModel

/// One of several readers of an `InMemoryHandOff`.
struct InMemoryStreamReader: StreamReader {
    let handOff: InMemoryHandOff
    let number: UInt64

    func read(
        _ stream: StreamKind, after cursors: [Partition: StreamPosition], count: Int, block: Duration
    ) async throws(HandOffError) -> [Partition: [StreamEntry]] {
        try await handOff.read(stream, after: cursors, count: count, block: block, reader: number)
    }

    func interrupt() { handOff.interrupt(reader: number) }
}
