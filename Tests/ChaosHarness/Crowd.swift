import Foundation
import NIOPosix
import Synchronization

/// Many devices that send the same quiet recording, straight to the gateways.
package struct Crowd: Sendable {
    /// Connections begun in one second: a crowd is no storm.
    private static let startsPerSecond = 200.0
    /// A packet of 100 ms each second: devices that keep silence to themselves send about a tenth of the time.
    static let gated = 0.1

    let stage: Stage
    let count: Int
    let recording: Recording
    /// 1 is real time.
    var speed = 1.0

    /// Storage and webhooks for every device of a larger crowd would be what two cores are busy with.
    private static let servedMaximum = 100
    private static let servedShare = 10

    /// The user of a device.
    static func user(_ index: Int) -> String { "crowd-\(index)" }

    /// Devices whose users have stored audio and a webhook endpoint: all of a small crowd, every tenth of a larger one.
    package static func served(of count: Int) -> [Int] {
        (0..<count).filter { count <= servedMaximum || $0.isMultiple(of: servedShare) }
    }

    /// The users of those devices.
    var servedUsers: [String] { Self.served(of: count).map(Self.user) }

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
                        recording, user: Self.user(index), port: ports[index % ports.count], speed: speed,
                        lingerSeconds: 1, clock: stage.clock)
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
    }

    /// Waits until all are live.
    func untilLive() async throws { try await stage.untilLive(count) }
}
