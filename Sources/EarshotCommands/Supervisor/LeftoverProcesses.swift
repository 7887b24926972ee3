import Foundation
import Glibc
import Logging

/// Processes of a data directory whose supervisor was killed: they live on, and must be gone before others start.
struct LeftoverProcesses {
    /// What such a process has for an orderly end; a Redis writes out what it has, a role lets its lanes commit.
    static let endBudget: Duration = .seconds(10)
    private static let killBudget: Duration = .seconds(10)
    private static let lookInterval: Duration = .milliseconds(20)

    private let children: [FleetState.Child]
    private let logger: Logger

    /// Takes what the state file names, and servers that work in the data directory without being named there, because
    /// their supervisor was killed in the moment between starting them and writing it down.
    init(state: FleetState, paths: DataDirectoryPaths, logger: Logger) {
        self.logger = logger
        let servers = Self.servers(in: [
            ("redis", paths.redis), ("postgres", paths.postgres),
            ("postgres", state.postgresDirectory ?? paths.postgres),
        ])
        let named = Set(state.children.map(\.process))
        children = state.children.filter(\.process.isAlive) + servers.filter { !named.contains($0.process) }
    }

    /// Stops them: the roles first, then Postgres, then Redis.
    ///
    /// - Throws: `CommandError` when one does not even end when it is killed; `CancellationError`.
    func stop() async throws {
        let order: [(Int32, (FleetState.Child) -> Bool)] = [
            (SIGTERM, { $0.role != "postgres" && $0.role != "redis" }), (SIGINT, { $0.role == "postgres" }),
            (SIGTERM, { $0.role == "redis" }),
        ]
        for (signal, belongs) in order {
            let stage = children.filter(belongs)
            for child in stage {
                logger.notice(
                    "stopping what an earlier run left behind",
                    metadata: ["child.node": "\(child.node)", "child.pid": "\(child.process.pid)"])
                // A stopped process (SIGSTOP) would not act on anything else.
                child.process.send(SIGCONT)
                child.process.send(signal)
            }
            if try await areGone(stage, within: Self.endBudget) { continue }
            for child in stage { child.process.send(SIGKILL, toGroup: true) }
            guard try await areGone(stage, within: Self.killBudget) else {
                let pids = stage.filter(\.process.isAlive).map { "\($0.process.pid)" }
                throw CommandError("processes of an earlier run do not end: \(pids.joined(separator: ", "))")
            }
        }
    }

    /// They are nobody's children any more, so nothing tells of their end but looking.
    private func areGone(_ children: [FleetState.Child], within limit: Duration) async throws -> Bool {
        let deadline = ContinuousClock.now + limit
        while children.contains(where: \.process.isAlive) {
            guard ContinuousClock.now < deadline else { return false }
            try await ContinuousClock().sleep(for: Self.lookInterval)
        }
        return true
    }

    /// Servers that work in one of the directories, without those they have started themselves.
    private static func servers(in directories: [(role: String, path: String)]) -> [FleetState.Child] {
        let pids = ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int32($0) }
        var found: [Int32: String] = [:]
        for pid in pids {
            guard let place = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/cwd"),
                let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/exe"),
                let role = directories.first(where: {
                    URL(fileURLWithPath: $0.path).resolvingSymlinksInPath().path == place
                })?.role,
                URL(fileURLWithPath: program).lastPathComponent.hasPrefix(role)
            else { continue }
            found[pid] = role
        }
        return found.compactMap { pid, role in
            guard let parent = parent(of: pid), found[parent] == nil, let process = ProcessIdentity(pid: pid) else {
                return nil
            }
            return FleetState.Child(role: role, node: role, process: process)
        }
    }

    private static func parent(of pid: Int32) -> Int32? {
        guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/status") else { return nil }
        return String(decoding: data, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("PPid:") }
            .flatMap { Int32($0.dropFirst(5).filter(\.isNumber)) }
    }
}
