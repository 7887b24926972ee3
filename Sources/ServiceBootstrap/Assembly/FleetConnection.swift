package import AudioStreams
package import EarshotModel
package import Logging
import NIOCore
package import RedisClient

/// A process's way into its fleet: the Redis client, the keys, the hand-off, checked against what the fleet agreed on.
package struct FleetConnection: Sendable {
    package let redis: RedisConfiguration
    package let keys: StreamKeys
    package let client: RedisClient
    package let handOff: RedisHandOff
    package let partitions: Int
    package let incarnation: Incarnation
    package let limits: Limits
    /// One for all members of the process.
    private let absence = PacedNotice()

    /// How long the first connection may take before it is said that Redis is waited for.
    private static let silenceMaximum: Duration = .milliseconds(500)

    /// The process and the fleet disagree about what the keys mean.
    package struct Disagreement: Error, CustomStringConvertible {
        /// What differs.
        package let description: String
    }

    /// Reads where the fleet is; connects once `run` is called.
    package init(_ assembly: ServiceAssembly, settings: Settings) throws {
        let fleet = try FleetConfiguration(settings: settings)
        var redis = fleet.redis
        if redis.tls?.verifiesCertificate == false {
            assembly.logger.warning("the certificate of Redis is not checked: whoever is on the way can read all")
        }
        redis.clientName = assembly.configuration.node
        self.redis = redis
        keys = StreamKeys(prefix: fleet.keyPrefix)
        partitions = fleet.partitions
        incarnation = Incarnation(startingAs: assembly.configuration.node)
        limits = try Limits(settings: settings)
        client = RedisClient(redis, eventLoop: assembly.eventLoopGroup.next(), logger: assembly.logger)
        RedisHandOff.prepare(client)
        handOff = RedisHandOff(client: client, keys: keys, limits: limits)
    }

    /// The service that keeps the connection.
    package var service: BackgroundService { BackgroundService { [client] in await client.run() } }

    /// Waits for Redis as long as it takes, saying so, and refuses to go on when the fleet disagrees (protocol.md M9).
    package func join(logger: Logger) async throws {
        var attempt = 0
        while true {
            do throws(RedisError) {
                try await client.untilConnected(deadline: Self.silenceMaximum)
            } catch {
                try Task.checkCancellation()
                notice(error.message, logger)
                // An overloaded client answers at once.
                if error.code != .notConnected { await Backoff.dependency.pause(attempt: 1) }
                continue
            }
            do throws(HandOffError) {
                let mine = FleetMeta(partitions: partitions)
                let theirs = try await handOff.joinFleet(mine)
                if let difference = mine.disagreement(with: theirs) { throw HandOffError(.refused, difference) }
                return
            } catch {
                switch error.code {
                case .unavailable, .outOfMemory:
                    attempt += 1
                    notice(error.message, logger)
                    await Backoff.dependency.pause(attempt: attempt)
                    try Task.checkCancellation()
                case .cancelled: throw CancellationError()
                case .refused, .malformedReply, .overtaken: throw Disagreement(description: error.message)
                }
            }
        }
    }

    private func notice(_ reason: String, _ logger: Logger) {
        guard absence.isDue() else { return }
        logger.warning("waiting for Redis", metadata: ["address": "\(redis.address)", "error": "\(reason)"])
    }
}
