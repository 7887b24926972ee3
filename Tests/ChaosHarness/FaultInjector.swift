import Foundation
import Synchronization
import TestSupport

/// Does what a plan says, and says what it did.
final class FaultInjector: Sendable {
    private let fleet: ChaosFleet
    private let servers: ChaosServers
    private let devices: DeviceFleet
    private let log: @Sendable (String) -> Void
    private let failures = Mutex<[String]>([])
    /// A server is hit by one fault at a time: it cannot be started while it is stopped.
    private let busy = Mutex<Set<String>>([])
    private let skipped = Mutex(0)

    init(
        fleet: ChaosFleet, servers: ChaosServers, devices: DeviceFleet, log: @escaping @Sendable (String) -> Void
    ) {
        self.fleet = fleet
        self.servers = servers
        self.devices = devices
        self.log = log
    }

    /// What could not be done, which is the harness's own failure.
    var problems: [String] { failures.withLock(\.self) }
    /// Faults whose target was gone or still suffering from one before.
    var skippedCount: Int { skipped.withLock(\.self) }

    /// Performs every fault at its time; returns when the last has passed.
    func run(_ plan: FaultPlan, clock: @escaping @Sendable () -> Double) async {
        await withTaskGroup(of: Void.self) { group in
            for fault in plan.faults {
                group.addTask {
                    let wait = fault.at - clock()
                    if wait > 0 { try? await rest(.seconds(wait)) }
                    guard !Task.isCancelled else { return }
                    await self.perform(fault)
                }
            }
        }
    }

    private func perform(_ fault: Fault) async {
        guard busy.withLock({ $0.insert(fault.target).inserted }) else {
            skip(fault, "it still suffers from the fault before")
            return
        }
        defer { busy.withLock { _ = $0.remove(fault.target) } }
        log("fault \(fault.line)")
        do {
            if fault.link != nil {
                try await disturb(fault)
            } else if fault.target == "redis" || fault.target == "postgres" {
                try await hitServer(fault)
            } else {
                try await hitProcess(fault)
            }
        } catch is CancellationError {
        } catch {
            failures.withLock { $0.append("\(fault.line): \(error)") }
        }
    }

    private func skip(_ fault: Fault, _ reason: String) {
        skipped.withLock { $0 += 1 }
        log("skipped \(fault.line): \(reason)")
    }

    private func hitProcess(_ fault: Fault) async throws {
        guard let pid = try await runningProcess(fault.target) else {
            skip(fault, "it is not running")
            return
        }
        switch fault.kind {
        case .stop:
            kill(pid, SIGSTOP)
            defer { kill(pid, SIGCONT) }
            try await rest(.seconds(fault.duration))
        case .restart: kill(pid, SIGTERM)
        default: kill(pid, SIGKILL)
        }
    }

    /// A process that the supervisor is about to start again is hit as soon as it runs.
    private func runningProcess(_ node: String) async throws -> Int32? {
        for _ in 0..<100 {
            if let pid = fleet.nodes[node] { return pid }
            try await rest(.milliseconds(100))
        }
        return nil
    }

    private func hitServer(_ fault: Fault) async throws {
        guard fault.kind == .stop else {
            try await servers.replace(fault.target, isKilled: fault.kind == .kill, pause: .seconds(fault.duration))
            return
        }
        try servers.freeze(fault.target, true)
        try? await rest(.seconds(fault.duration))
        try servers.freeze(fault.target, false)
    }

    private func disturb(_ fault: Fault) async throws {
        let isDevice = fault.link == "gateway"
        let proxy = isDevice ? devices.proxy(of: Self.index(fault.target)) : servers.proxy(of: fault.link ?? "redis")
        let label = isDevice || fault.kind == .down ? nil : fault.target
        switch fault.kind {
        case .cut: proxy.cut(label: label)
        case .strand: proxy.strand(label: label)
        case .down:
            await proxy.takeDown()
            try? await rest(.seconds(fault.duration))
            try await proxy.bringUp()
        default:
            proxy.set(Self.faults(fault), label: label)
            try? await rest(.seconds(fault.duration))
            if let label { proxy.clear(label: label) } else { proxy.clear() }
        }
    }

    private static func index(_ target: String) -> Int { Int(target.split(separator: "-").last ?? "") ?? 0 }

    /// The toxics of a fault; their numbers follow from its kind.
    private static func faults(_ fault: Fault) -> LinkFaults {
        var toxics = Toxics()
        switch fault.kind {
        case .slow:
            toxics.latency = .init(.milliseconds(80), jitter: .milliseconds(40))
            toxics.bandwidth = 512 * 1_024
        case .partition: toxics.timeout = .zero
        case .slice: toxics.slicer = .init(averageBytes: 512, variation: 256, delay: .microseconds(500))
        case .limit: toxics.limitData = 100_000
        case .slowClose: toxics.slowClose = .seconds(2)
        default: break
        }
        return LinkFaults(both: toxics)
    }
}
