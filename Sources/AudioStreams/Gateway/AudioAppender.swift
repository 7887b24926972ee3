import DequeModule
package import EarshotModel
package import Logging
package import NIOCore
package import RedisClient

/// One event loop's way into Redis: a connection of its own, and a queue of operations in the order of their calls.
///
/// What was sent and not answered is sent again, in order, on the next connection; nothing is dropped. That is safe:
/// plain appends are made idempotent by their readers, and every function answers a repetition alike. The exception is
/// an append that a later one of its session has overtaken, which fails (`AppendQueue`). All calls and all completions
/// happen on the loop.
package final class AudioAppender {
    /// Why sockets should not be read now.
    package enum Pressure: String, Sendable, CaseIterable {
        /// There is no connection.
        case disconnected
        /// The connection takes no more bytes.
        case unwritable
        /// The oldest unanswered operation is late, or too many wait.
        case late
        /// Redis is short of memory.
        case memory
    }

    /// What the tail check behind an append found.
    package enum Tail: Sendable {
        /// The session is still this gateway's and open: the append counts.
        case holds
        /// Its epoch changed or it has an end: nothing more may be written for it.
        case lost
        /// It holds, but its conversation was closed for silence: what comes now belongs to another.
        case conversationClosed
    }

    enum Operation {
        case append(
            partition: Partition, entry: ByteBuffer, completion: (Result<StreamPosition, HandOffError>) -> Void)
        case tail(session: SessionID, partition: Partition, epoch: FencingToken, completion: (Tail) -> Void)
        case call(RedisCommand, completion: (Result<RESPValue, HandOffError>) -> Void)
    }

    private let configuration: RedisConfiguration
    private let keys: StreamKeys
    let commands: HandOffCommands
    private let limits: Limits
    private let eventLoop: any EventLoop
    private let logger: Logger
    private let disk: DiskConfirmation
    private var connection: RedisConnection?
    private var isConnecting = false
    private var isClosed = false
    private var failures = 0
    private var queue = AppendQueue<Operation>()
    /// When the pipelines on the wire were sent.
    private var inFlight: Deque<NIODeadline> = []
    private var memoryShare = 0.0
    private var memoryAskedAt = NIODeadline.uptimeNanoseconds(0)
    /// Told when sockets should stop or start to be read.
    package var onPressureChange: (Pressure?) -> Void = { _ in }
    /// What holds now.
    package private(set) var pressure: Pressure? = .disconnected
    /// Set while nothing may wait for a drain: resolved when the queue is empty.
    private var idlePromise: EventLoopPromise<Void>?

    /// An appender that connects when it is started.
    package init(
        configuration: RedisConfiguration, keys: StreamKeys, limits: Limits, eventLoop: any EventLoop, logger: Logger
    ) {
        self.configuration = configuration
        self.keys = keys
        self.commands = HandOffCommands(keys: keys, limits: limits)
        self.limits = limits
        self.eventLoop = eventLoop
        self.logger = logger
        disk = DiskConfirmation(
            configuration: configuration, keys: keys, limits: limits, eventLoop: eventLoop, logger: logger)
    }

    /// Share of Redis' `maxmemory` in use, 0 when there is no such bound.
    package var redisMemoryShare: Double { memoryShare }
    /// Operations without an answer.
    package var operationCount: Int { queue.count }

    // MARK: Operations

    /// Queues an append; `flush` sends it.
    ///
    /// It completes with the entry's place; with a failure only when Redis refuses it for good, or takes a later one of
    /// the session before it.
    package func append(
        _ entry: ByteBuffer, of session: SessionID, to partition: Partition,
        completion: @escaping (Result<StreamPosition, HandOffError>) -> Void
    ) {
        queue.append(.append(partition: partition, entry: entry, completion: completion), .append(session))
    }

    /// Queues the tail check of a session, behind its appends.
    package func checkTail(
        of session: SessionID, epoch: FencingToken, in partition: Partition, completion: @escaping (Tail) -> Void
    ) {
        queue.append(
            .tail(session: session, partition: partition, epoch: epoch, completion: completion), .tail(session))
    }

    /// Queues an end behind the session's appends.
    package func end(
        _ ending: SessionEnding, in partition: Partition,
        completion: @escaping (Result<SessionEnding.Outcome, HandOffError>) -> Void
    ) {
        call(
            commands.end(ending, in: partition), SessionEnding.Outcome.init(reply:), kind: .end(ending.session),
            completion)
    }

    /// Registers a session.
    package func register(
        _ registration: SessionRegistration, in partition: Partition,
        completion: @escaping (Result<SessionRegistration.Grant, HandOffError>) -> Void
    ) {
        call(commands.register(registration, in: partition), SessionRegistration.Grant.init(reply:), completion)
    }

    /// Stores the highest number that was acknowledged to the device, and its capture time; false when the session is
    /// another's or over.
    ///
    /// Fails when the connection is lost before the answer: another server may lack those frames.
    package func note(
        _ session: SessionID, epoch: FencingToken, last: UInt64, capture: Int64, in partition: Partition,
        completion: @escaping (Result<Bool, HandOffError>) -> Void
    ) {
        call(
            commands.note(session, epoch: epoch, last: last, capture: capture, in: partition),
            { reply in reply.int.map { $0 == 1 } }, kind: .note, completion)
    }

    /// What the admission function says of a user's next session.
    package enum Admission: String, Sendable {
        case admitted = "OK"
        case rateLimited = "RATE"
        case backlogged = "BACKLOG"
    }

    /// Asks whether a user may open one more session now.
    package func admit(
        _ user: UserID, in partition: Partition, now: Int64,
        completion: @escaping (Result<Admission, HandOffError>) -> Void
    ) {
        call(
            commands.admit(user, in: partition, now: now), { $0.string.flatMap(Admission.init(rawValue:)) },
            completion)
    }

    /// Fetches the final results kept of a session.
    package func finals(
        of session: SessionID, in partition: Partition,
        completion: @escaping (Result<[LiveResult], HandOffError>) -> Void
    ) {
        call(
            RedisCommand("LRANGE", .init(keys.finals(session, partition)), 0, -1).retriable(),
            { $0.array?.compactMap { $0.bytes.flatMap { LiveResult(decoding: $0) } } }, completion)
    }

    /// Asks whether everything that was answered by now is on the server's disk, and waits until it is, for a while.
    package func whenOnDisk(_ completion: @escaping (DiskAnswer) -> Void) {
        guard let connection else { return completion(.notYet) }
        disk.confirm(on: connection.serverRunID, completion)
    }

    func call<Value>(
        _ command: RedisCommand, _ read: @escaping (RESPValue) -> Value?,
        kind: AppendQueue<Operation>.Kind = .other, _ completion: @escaping (Result<Value, HandOffError>) -> Void
    ) {
        let operation = Operation.call(command) { result in
            completion(
                result.flatMap { reply in
                    if let value = read(reply) { return .success(value) }
                    return .failure(HandOffError(.malformedReply, "an answer is \(reply.kind)"))
                })
        }
        queue.append(operation, kind)
    }

    // MARK: Lifetime

    /// Connects, and keeps connecting until `close`.
    package func start() { connect() }

    /// Sends what waits, asks for the memory once a second, and judges the pressure; called once a tick.
    package func flush(at now: NIODeadline) {
        if connection != nil, now - memoryAskedAt >= .seconds(1) {
            memoryAskedAt = now
            call(RedisCommand("INFO", "memory").retriable(), Self.memoryShare(in:)) { [weak self] result in
                if case .success(let share) = result { self?.memoryShare = share }
            }
        }
        send(at: now)
        judgePressure(at: now)
    }

    /// Completes when every operation is answered.
    package func whenIdle() -> EventLoopFuture<Void> {
        guard !isClosed, !queue.isEmpty else { return eventLoop.makeSucceededVoidFuture() }
        let promise = idlePromise ?? eventLoop.makePromise()
        idlePromise = promise
        return promise.futureResult
    }

    /// Closes the connection and forgets what is unanswered.
    package func close() {
        isClosed = true
        disk.close()
        connection?.close()
        connection = nil
        inFlight = []
        for operation in queue.removeAll() { fail(operation, HandOffError(.cancelled, "the appender was closed")) }
        idlePromise?.succeed()
        idlePromise = nil
    }

    private func connect() {
        guard !isClosed, !isConnecting else { return }
        isConnecting = true
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        RedisConnection.connect(configuration, on: eventLoop, logger: logger).whenComplete { result in
            bound.value.connected(result)
        }
    }

    private func connected(_ result: Result<RedisConnection, any Error>) {
        isConnecting = false
        switch result {
        case .success(let connection):
            guard !isClosed else { return connection.close() }
            self.connection = connection
            let bound = NIOLoopBound(self, eventLoop: eventLoop)
            connection.closeFuture.whenComplete { _ in bound.value.lost(connection) }
            connection.onWritabilityChange { _ in bound.value.judgePressure(at: .now()) }
            if !queue.isEmpty {
                logger.info("sending again what was unanswered", metadata: ["operations": "\(queue.count)"])
            }
            send(at: .now())
            judgePressure(at: .now())
        case .failure(let error):
            failures += 1
            logger.debug("the loop's Redis connection failed", metadata: ["error": "\(error)"])
            reconnectLater()
        }
    }

    private func lost(_ connection: RedisConnection) {
        guard self.connection === connection else { return }
        self.connection = nil
        disk.disconnect()
        inFlight = []
        let overtaken = queue.connectionLost()
        judgePressure(at: .now())
        reconnectLater()
        failOvertaken(overtaken)
    }

    private func reconnectLater() {
        guard !isClosed else { return }
        // Full jitter up to two seconds: every loop of every gateway comes back at another moment.
        let ceiling = min(2_000, 50 << min(failures, 6))
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        _ = eventLoop.scheduleTask(in: .milliseconds(.random(in: 10...Int64(ceiling)))) { bound.value.connect() }
    }

    // MARK: The wire

    private func send(at now: NIODeadline) {
        guard let connection else { return }
        var pipeline = RedisPipeline(reservingCapacity: 4096)
        guard queue.send({ encode($0, into: &pipeline) }) > 0 else { return }
        inFlight.append(now)
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        connection.send(pipeline).whenComplete { result in bound.value.answered(result, on: connection) }
    }

    private func encode(_ operation: Operation, into pipeline: inout RedisPipeline) {
        switch operation {
        case .append(let partition, let entry, _):
            pipeline.appendXADD(key: keys.audio(partition), field: "e", value: entry)
        case .tail(let session, let partition, _, _):
            pipeline.append(argumentCount: 5) { writer in
                writer.write("HMGET")
                writer.write(keys.session(session, partition))
                writer.write("epoch")
                writer.write("end")
                writer.write("switch")
            }
        case .call(let command, _): pipeline.append(command)
        }
    }

    private func answered(_ result: Result<[RESPValue], any Error>, on connection: RedisConnection) {
        guard self.connection === connection else { return }
        switch result {
        case .failure(let error):
            logger.notice("appends have no answer; they are sent again", metadata: ["error": "\(error)"])
            connection.close()
            lost(connection)
        case .success(let replies):
            _ = inFlight.popFirst()
            for reply in replies {
                settle(reply)
                // A completion may have written, and the write may have found the connection dead.
                guard self.connection === connection else { return }
            }
            if queue.isRefusing {
                // What else is on the wire may have been taken: that decides what can be sent again.
                guard !queue.isOnTheWire else { return }
                failures += 1
                connection.close()
                lost(connection)
                return
            }
            failures = 0
            if queue.isEmpty {
                idlePromise?.succeed()
                idlePromise = nil
            }
        }
    }

    private func settle(_ reply: RESPValue) {
        var isRefused = false
        if case .error(let text) = reply, mustRepeat(text) {
            isRefused = true
            if !queue.isRefusing {
                logger.notice("Redis cannot take appends now; they are sent again", metadata: ["error": "\(text)"])
            }
        }
        let settlement = queue.answered(isRefused: isRefused)
        // First what was lost: what completes may be an end, which says that all before it counts.
        failOvertaken(settlement.overtaken)
        if let operation = settlement.completed { complete(operation, reply) }
    }

    private func failOvertaken(_ operations: [Operation]) {
        for operation in operations {
            fail(
                operation,
                HandOffError(.overtaken, "a later append of the session was taken first, or the server is gone"))
        }
    }

    /// A server that loads, has lost its role or its functions is away; the operations wait for it.
    private func mustRepeat(_ text: String) -> Bool {
        HandOffError(refusal: text).code == .unavailable || text.contains("Function not found")
    }

    private func complete(_ operation: Operation, _ reply: RESPValue) {
        let refusal: HandOffError? =
            if case .error(let text) = reply { HandOffError(refusal: text) } else { nil }
        switch operation {
        case .append(_, _, let completion):
            if let refusal { return completion(.failure(refusal)) }
            guard let place = reply.string.flatMap({ StreamPosition($0) }) else {
                return completion(.failure(HandOffError(.malformedReply, "an append's answer is \(reply.kind)")))
            }
            completion(.success(place))
        case .tail(_, _, let epoch, let completion):
            let values = reply.array ?? []
            guard values.count == 3, values[0].string == epoch.text, values[1].isNull else { return completion(.lost) }
            completion(values[2].isNull ? .holds : .conversationClosed)
        case .call(_, let completion): completion(refusal.map { .failure($0) } ?? .success(reply))
        }
    }

    private func fail(_ operation: Operation, _ error: HandOffError) {
        switch operation {
        case .append(_, _, let completion): completion(.failure(error))
        case .tail(_, _, _, let completion): completion(.lost)
        case .call(_, let completion): completion(.failure(error))
        }
    }

    // MARK: Pressure

    private func judgePressure(at now: NIODeadline) {
        let judged = currentPressure(at: now)
        guard judged != pressure else { return }
        pressure = judged
        onPressureChange(judged)
    }

    private func currentPressure(at now: NIODeadline) -> Pressure? {
        guard let connection, !queue.isRefusing else { return .disconnected }
        if !connection.isWritable { return .unwritable }
        if queue.count > limits.appendOperationsMaximum { return .late }
        if let oldest = inFlight.first, now - oldest > TimeAmount(limits.appendReplyDelayMaximum) {
            return .late
        }
        return memoryShare >= limits.redisMemoryReading ? .memory : nil
    }

    private static func memoryShare(in reply: RESPValue) -> Double? {
        guard let text = reply.string else { return nil }
        var values: [Substring: Double] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            let pair = line.split(separator: ":", maxSplits: 1)
            if pair.count == 2, pair[0] == "used_memory" || pair[0] == "maxmemory" { values[pair[0]] = Double(pair[1]) }
        }
        guard let used = values["used_memory"], let maximum = values["maxmemory"] else { return nil }
        return maximum > 0 ? used / maximum : 0
    }
}
