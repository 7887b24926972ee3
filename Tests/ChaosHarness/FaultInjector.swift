import Foundation
import Synchronization
import TestSupport

/// Does what a plan says, and says what it did.
final class FaultInjector: Sendable {
    private let plan: FaultPlan
    private let fleet: ChaosFleet
    private let servers: ChaosServers
    private let devices: DeviceFleet
    private let log: @Sendable (String) -> Void
    private let failures = Mutex<[String]>([])
    /// A server is hit by one fault at a time: it cannot be started while it is stopped.
    private let busy = Mutex<Set<String>>([])
    private let counted: Mutex<FaultTally>

    init(
        plan: FaultPlan, fleet: ChaosFleet, servers: ChaosServers, devices: DeviceFleet,
        log: @escaping @Sendable (String) -> Void
    ) {
        self.plan = plan
        counted = Mutex(FaultTally(planned: plan.faults.count))
        self.fleet = fleet
        self.servers = servers
        self.devices = devices
        self.log = log
    }

    /// What could not be done, which is the harness's own failure.
    var problems: [String] { failures.withLock(\.self) }
    /// What became of the faults so far.
    var tally: FaultTally { counted.withLock(\.self) }

    /// Performs every fault at its time; returns when the last has passed.
    func run(clock: @escaping @Sendable () -> Double) async {
        await withTaskGroup(of: Void.self) { group in
            for fault in plan.faults {
                group.addTask {
                    let wait = fault.at - clock()
                    if wait > 0 { try? await rest(.seconds(wait)) }
                    guard !Task.isCancelled else { return }
                    await self.perform(fault, clock)
                }
            }
        }
    }

    private func perform(_ fault: Fault, _ clock: @Sendable () -> Double) async {
        guard busy.withLock({ $0.insert(fault.target).inserted }) else {
            skip(fault, .busy, "it still suffers from the fault before")
            return
        }
        defer { busy.withLock { _ = $0.remove(fault.target) } }
        do {
            guard try await isThere(fault) else { return skip(fault, .gone, "there is nothing to hit") }
            log("fault \(fault.line)")
            let began = clock()
            guard try await hit(fault) else { return skip(fault, .gone, "it had just gone") }
            counted.withLock { $0.effects.append(FaultEffect(fault, began: began, ended: clock())) }
        } catch is CancellationError {
        } catch {
            failures.withLock { $0.append("\(fault.line): \(error)") }
        }
    }

    private func skip(_ fault: Fault, _ reason: FaultTally.Skip, _ text: String) {
        counted.withLock { $0.skipped[reason, default: 0] += 1 }
        log("skipped \(fault.line): \(text)")
    }

    /// Waits until there is something to hit: a process that the supervisor is about to start again is hit as soon as
    /// it runs, a device's link as soon as the device is connected.
    private func isThere(_ fault: Fault) async throws -> Bool {
        for _ in 0..<100 {
            if fault.link == "gateway" {
                if devices.proxy(of: Self.index(fault.target)).connectionCount > 0 { return true }
            } else if Self.isServer(fault.target) || fleet.nodes[fault.target] != nil {
                return true
            }
            try await rest(.milliseconds(100))
        }
        return false
    }

    /// Does it; false when its process had just gone.
    private func hit(_ fault: Fault) async throws -> Bool {
        if fault.link != nil {
            try await disturb(fault)
        } else if Self.isServer(fault.target) {
            try await hitServer(fault)
        } else {
            return try await hitProcess(fault)
        }
        return true
    }

    private static func isServer(_ target: String) -> Bool { target == "redis" || target == "postgres" }

    private func hitProcess(_ fault: Fault) async throws -> Bool {
        guard let pid = fleet.nodes[fault.target] else { return false }
        switch fault.kind {
        case .stop:
            guard kill(pid, SIGSTOP) == 0 else { return false }
            defer { kill(pid, SIGCONT) }
            try await rest(.seconds(fault.duration))
            return true
        case .restart: return kill(pid, SIGTERM) == 0
        default: return kill(pid, SIGKILL) == 0
        }
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
