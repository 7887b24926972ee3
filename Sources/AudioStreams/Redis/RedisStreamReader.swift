package import EarshotModel
package import RedisClient

/// Reads partitions with one blocking `XREAD` on a connection of its own.
package struct RedisStreamReader: StreamReader {
    private let reader: RedisBlockingReader
    private let keys: StreamKeys

    /// Uses a connection that nothing else uses.
    package init(reader: RedisBlockingReader, keys: StreamKeys) {
        self.reader = reader
        self.keys = keys
    }

    package func read(
        _ stream: StreamKind, after cursors: [Partition: StreamPosition], count: Int, block: Duration
    ) async throws(HandOffError) -> [Partition: [StreamEntry]] {
        let list = Array(cursors)
        let names = list.map { keys.stream(stream, $0.key) }
        var arguments: [RedisArgument] = [
            "COUNT", .init(count), "BLOCK", .init(max(1, block.milliseconds)), "STREAMS",
        ]
        arguments += names.map { RedisArgument($0) }
        arguments += list.map { RedisArgument($0.value.description) }
        let reply: RESPValue
        do throws(RedisError) {
            // The server answers after `block` at the latest; the margin is for a slow one.
            reply = try await reader.execute(
                RedisCommand("XREAD", arguments: arguments), timeout: block + .seconds(5))
        } catch {
            throw HandOffError(error)
        }
        if reply.isNull { return [:] }
        guard let streams = reply.array else {
            throw HandOffError(.malformedReply, "the answer to XREAD is \(reply.kind)")
        }
        let partitions = Dictionary(zip(names, list.map(\.key)), uniquingKeysWith: { first, _ in first })
        var result: [Partition: [StreamEntry]] = [:]
        for case .array(let pair) in streams where pair.count == 2 {
            guard let partition = pair[0].string.flatMap({ partitions[$0] }), let entries = pair[1].array else {
                continue
            }
            result[partition] = entries.compactMap(StreamEntry.init(reply:))
        }
        return result
    }

    package func interrupt() { reader.interrupt() }
}
