import ArgumentParser
import Foundation
import NIOCore
import NIOPosix
import TestSupport

/// `earshot-chaos baseline`: the old design and ours under the same faults of their links; what is left of each.
struct BaselineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "baseline", abstract: "The old design, which awaits work inside connections, beside ours.")

    @OptionGroup var options: HarnessOptions

    @Option(help: "How long devices stream.")
    var seconds = 60.0

    @Option(help: "How many times links to the back end are lost.")
    var faults = 10

    /// After the last device has gone.
    private static let patience = 10.0

    func run() async throws {
        let seed = options.drawnSeed()
        let moments = Self.moments(seed: seed, count: faults, seconds: seconds)
        let old = try await oldDesign(moments)
        Stage.say("the old design: \(old) of \(options.devices) connections left after \(Self.patience) s")
        let quiet = try await Stage.with(options, workers: options.workers ?? "gateway=1,transcript=2") { stage in
            try await ours(stage, moments)
        }
        let names = ["live_sessions", "gateway_sessions", "open_lanes", "dead_leases"]
        let left = names.reduce(0) { $0 + (quiet.left[$1] ?? 0) }
        var report = ChaosReport(run: "baseline", seed: seed, seconds: seconds)
        report.figures = [
            "devices": Double(options.devices), "faults": Double(moments.count), "old_design_left": Double(old),
            "earshot_left": left,
        ]
        var violations = left > 0 ? ["\(Int(left)) sessions, lanes or leases are left of ours"] : []
        if old == 0 { violations.append("the old design did not leak: the faults missed it") }
        report.checks = [CheckResult("baseline", figures: [:], violations: violations)]
        try report.publish()
        if !report.isPassed { throw ExitCode.failure }
    }

    private static func moments(seed: UInt64, count: Int, seconds: Double) -> [Double] {
        var random = SeededGenerator(seed: seed)
        return (0..<count).map { _ in Double.random(in: 0.1..<0.9, using: &random) * seconds }.sorted()
    }

    /// Loses every connection to the back end at some moments: neither closed nor ever answered again.
    private static func strand(_ proxy: FaultProxy, at moments: [Double]) async {
        let began = ContinuousClock.now
        for moment in moments {
            let wait = moment - began.duration(to: .now).seconds
            if wait > 0 { try? await rest(.seconds(wait)) }
            proxy.strand()
        }
    }

    private func oldDesign(_ moments: [Double]) async throws -> Int {
        let echo = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Echo()) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let proxy = try await FaultProxy.started(to: echo.localAddress?.port ?? 0)
        let server = try await ConnectionBoundServer(backEndPort: proxy.port)
        let left = try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            defer { group.cancelAll() }
            try await withThrowingTaskGroup(of: Void.self) { devices in
                for _ in 0..<options.devices { devices.addTask { try await plainDevice(port: server.port) } }
                devices.addTask { await Self.strand(proxy, at: moments) }
                try await devices.waitForAll()
            }
            try await rest(.seconds(Self.patience))
            return server.activeCount
        }
        await proxy.stop()
        try await echo.close()
        return left
    }

    /// Sends a frame ten times a second, then goes.
    private func plainDevice(port: Int) async throws {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port).get()
        for _ in 0..<Int(seconds * 10) {
            channel.writeAndFlush(ByteBuffer(repeating: 0, count: 320), promise: nil)
            try await rest(.milliseconds(100))
        }
        try? await channel.close()
    }

    private func ours(_ stage: Stage, _ moments: [Double]) async throws -> QuietWatch.Report {
        let crowd = Crowd(stage: stage, count: options.devices, recording: try .quiet(seconds: seconds))
        await withTaskGroup(of: Void.self) { group in
            group.addTask { _ = await crowd.run() }
            group.addTask { await Self.strand(stage.servers.redisProxy, at: moments) }
        }
        return await QuietWatch(stage: stage).run(since: stage.clock(), limit: Self.patience)
    }

    private final class Echo: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        func channelRead(context: ChannelHandlerContext, data: NIOAny) { context.writeAndFlush(data, promise: nil) }
    }
}
