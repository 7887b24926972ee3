import Foundation

/// Restarts the gateways one after the other, each when all sessions of a crowd are live again.
struct RollingRestart: Sendable {
    let stage: Stage
    let sessions: Int
    /// Told before a gateway is restarted, and when it is back.
    var announce: @Sendable (_ index: Int, _ isIn: Bool) -> Void = { _, _ in }

    private static let calm: Duration = .seconds(3)

    /// Restarts all of them.
    ///
    /// - Returns: The moment at which the first was told to end.
    /// - Throws: `HarnessError` when sessions do not come back.
    func run() async throws -> Double {
        try await stage.untilLive(sessions)
        try await rest(Self.calm)
        let began = stage.clock()
        for index in stage.fleet.gatewayPorts.indices { try await restart(index) }
        return began
    }

    private func restart(_ index: Int) async throws {
        let node = "gateway-\(index)"
        guard let pid = stage.fleet.nodes[node] else { throw HarnessError("there is no \(node)") }
        stage.log("restarting \(node)")
        announce(index, false)
        kill(pid, SIGTERM)
        for _ in 0..<1_200 {
            try await rest(.milliseconds(100))
            if let now = stage.fleet.nodes[node], now != pid, await stage.fleet.isReady() { break }
        }
        announce(index, true)
        try await stage.untilLive(sessions)
        stage.log("\(node) is back, all sessions are live")
        try await rest(Self.calm)
    }
}
