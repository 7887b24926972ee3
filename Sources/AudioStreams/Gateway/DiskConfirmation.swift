import EarshotModel
import Logging
import NIOCore
import RedisClient

/// Finds out when what Redis has answered is on its disk: `WAITAOF`, from Redis 7.2 on (docs/adr/0015).
///
/// It has a connection of its own, because with `appendfsync everysec` `WAITAOF` holds up what comes behind it for a
/// second. It waits for the last write of its own connection; a small one in front of it makes that everything the
/// server has taken by then. All calls and all completions happen on the loop.
final class DiskConfirmation {
    private struct Question {
        /// The run of the server that has answered.
        let server: String
        let completion: (DiskAnswer) -> Void
    }

    private let configuration: RedisConfiguration
    private let commands: [RedisCommand]
    /// Longer than the server itself waits, so that the connection is not closed for it.
    private let timeout: Duration
    private let eventLoop: any EventLoop
    private let logger: Logger
    private var connection: RedisConnection?
    /// For the next round: a round that has begun covers only what was answered before it.
    ///
    /// Two a session at most: one of its resume, one of its acknowledgements.
    private var waiting: [Question] = []
    private var isAsking = false
    private var isClosed = false

    init(
        configuration: RedisConfiguration, keys: StreamKeys, limits: Limits, eventLoop: any EventLoop, logger: Logger
    ) {
        self.configuration = configuration
        let wait = limits.diskConfirmationTimeout
        commands = [
            RedisCommand("SET", .init(keys.diskMark), "1"),
            RedisCommand("WAITAOF", 1, 0, .init(String(Int(wait / .milliseconds(1))))),
        ]
        timeout = wait * 2
        self.eventLoop = eventLoop
        self.logger = logger
    }

    /// Asks whether everything is on disk that a server, in one of its runs, has answered by now.
    func confirm(on server: String, _ completion: @escaping (DiskAnswer) -> Void) {
        guard !isClosed else { return completion(.notYet) }
        waiting.append(Question(server: server, completion: completion))
        ask()
    }

    /// Gives the connection up; the next question opens another.
    func disconnect() {
        connection?.close()
        connection = nil
    }

    func close() {
        isClosed = true
        disconnect()
        let questions = waiting
        waiting = []
        for question in questions { question.completion(.notYet) }
    }

    private func ask() {
        guard !isAsking, !isClosed, !waiting.isEmpty else { return }
        isAsking = true
        let bound = NIOLoopBound((self, waiting), eventLoop: eventLoop)
        waiting = []
        dial().flatMap { [commands, timeout] connection in
            connection.send(RedisPipeline(commands), timeout: timeout).map { (connection, $0) }
        }.whenComplete { result in
            let (confirmation, questions) = bound.value
            confirmation.answered(questions, result)
        }
    }

    private func dial() -> EventLoopFuture<RedisConnection> {
        if let connection, !connection.isClosed { return eventLoop.makeSucceededFuture(connection) }
        return RedisConnection.connect(configuration, on: eventLoop, logger: logger)
    }

    private func answered(_ questions: [Question], _ result: Result<(RedisConnection, [RESPValue]), any Error>) {
        isAsking = false
        var answer = DiskAnswer.notYet
        var server: String?
        switch result {
        case .success((let connection, let replies)):
            if self.connection !== connection { disconnect() }
            if isClosed { connection.close() } else { self.connection = connection }
            answer = Self.answer(replies)
            server = connection.serverRunID
            if answer != .onDisk {
                logger.debug("the disk is not confirmed", metadata: ["answers": "\(replies.map(\.kind))"])
            }
        case .failure(let error):
            disconnect()
            logger.debug("nobody says what is on disk", metadata: ["error": "\(error)"])
        }
        if questions.contains(where: { $0.server != server }) { disconnect() }
        for question in questions { question.completion(question.server == server ? answer : .notYet) }
        ask()
    }

    /// `WAITAOF` counts only behind a write that was taken: otherwise it speaks of the write before.
    private static func answer(_ replies: [RESPValue]) -> DiskAnswer {
        for case .error(let text) in replies where text.hasPrefix("ERR ") || text.hasPrefix("NOPERM ") {
            return .refused
        }
        guard replies.count == 2, replies[0].string == "OK", let local = replies[1].array?.first?.int else {
            return .notYet
        }
        return local >= 1 ? .onDisk : .notYet
    }
}
