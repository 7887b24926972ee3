import Foundation
import NIOPosix
import Synchronization

/// Many devices that send the same quiet recording, straight to the gateways.
struct Crowd: Sendable {
    /// Connections begun in one second: a crowd is no storm.
    private static let startsPerSecond = 200.0
    /// A packet of 100 ms each second: devices that keep silence to themselves send about a tenth of the time.
    static let gated = 0.1

    let stage: Stage
    let count: Int
    let recording: Recording
    /// 1 is real time.
    var speed = 1.0

    /// Seconds over which the devices are started.
    var rampSeconds: Double { Double(count) / Self.startsPerSecond }

    /// Streams once with each device; cancelling resets all connections at once.
    func run() async -> [SessionOutcome] {
        await withTaskGroup(of: SessionOutcome.self) { group in
            for index in 0..<count {
                group.addTask {
                    try? await rest(.seconds(Double(index) / Self.startsPerSecond))
                    let ports = stage.fleet.gatewayPorts
                    return await DeviceFleet.session(
                        recording, user: "crowd-\(index)", port: ports[index % ports.count], speed: speed,
                        lingerSeconds: 1, clock: stage.clock)
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
    }

    /// Waits until all are live.
    func untilLive() async throws { try await stage.untilLive(count) }
}
