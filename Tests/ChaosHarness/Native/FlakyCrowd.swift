import Foundation
import Synchronization
import TestSupport

/// Native devices, each behind a proxy of its own that resets whatever is connected every 5 to 20 s.
struct FlakyCrowd: Sendable {
    /// Issue 4, acceptance 4.
    private static let connectionSeconds = 5.0...20.0
    /// Uploads begun in one second: a crowd is no storm.
    private static let startsPerSecond = 100.0
    /// A device's listener, its connection, the proxy's two ends of it.
    static let descriptorsPerDevice = 4

    let stage: Stage
    let seed: UInt64
    let count: Int
    let recording: NativeRecording
    /// How long connections are reset, from the last device's start.
    let seconds: Double

    /// Counts what the network did.
    final class Cuts: Sendable {
        private let counted = Mutex(0)

        var count: Int { counted.withLock(\.self) }

        func add() { counted.withLock { $0 += 1 } }
    }

    static func user(_ device: Int) -> String { "flaky-\(device)" }

    /// Uploads the recording once with each device.
    ///
    /// - Returns: What became of the uploads, and how often a connection was reset.
    func run() async throws -> (uploads: [NativeOutcome], cuts: Int) {
        var proxies: [FaultProxy] = []
        let ports = stage.fleet.gatewayPorts
        for device in 0..<count { proxies.append(try await FaultProxy.started(to: ports[device % ports.count])) }
        let cuts = Cuts()
        let end = stage.clock() + Double(count) / Self.startsPerSecond + seconds
        let uploads: [NativeOutcome] = await withTaskGroup(of: NativeOutcome.self) { group in
            for (device, proxy) in proxies.enumerated() {
                group.addTask { await upload(device, proxy, until: end, cuts) }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        for proxy in proxies { await proxy.stop() }
        return (uploads, cuts.count)
    }

    /// One device, and what happens to its network while it uploads.
    private func upload(_ device: Int, _ proxy: FaultProxy, until end: Double, _ cuts: Cuts) async -> NativeOutcome {
        try? await rest(.seconds(Double(device) / Self.startsPerSecond))
        return await withTaskGroup(of: Void.self) { group in
            group.addTask { await disturb(device, proxy, until: end, cuts) }
            defer { group.cancelAll() }
            return await NativeDevice.upload(
                MarkedSource(recording: recording, device: device, upload: 0), user: Self.user(device),
                port: proxy.port, linger: 0, clock: stage.clock)
        }
    }

    private func disturb(_ device: Int, _ proxy: FaultProxy, until end: Double, _ cuts: Cuts) async {
        var random = SeededGenerator(seed: seed &* 1_000_003 &+ UInt64(device))
        while stage.clock() < end {
            let pause = Double.random(in: Self.connectionSeconds, using: &random)
            guard (try? await rest(.seconds(pause))) != nil, stage.clock() < end else { return }
            guard proxy.connectionCount > 0 else { continue }
            proxy.cut()
            cuts.add()
        }
    }
}
