import PostgresClient

/// Waits until nothing is left of all sessions, and tells how long each part of it took.
struct QuietWatch {
    /// What was found.
    struct Report: Sendable {
        /// Seconds after the last device went at which each condition began to hold for good; nil if it does not.
        var conditions: [String: Double?] = [:]
        /// What is left, for those that do not hold.
        var left: [String: Double] = [:]
        /// Seconds until all of them held; nil if they never did.
        var total: Double? {
            conditions.values.contains { $0 == nil } ? nil : conditions.values.compactMap(\.self).max()
        }
    }

    private static let interval: Duration = .milliseconds(200)

    let stage: Stage

    /// Looks until all conditions hold.
    ///
    /// - Parameters:
    ///   - start: The moment the last device went, on the stage's clock.
    ///   - limit: How long to look.
    /// - Returns: What was left, and when nothing was.
    func run(since start: Double, limit: Double) async -> Report {
        var report = Report()
        repeat {
            let now = stage.clock() - start
            for (name, value) in await left() {
                report.left[name] = value
                if value != 0 {
                    report.conditions[name] = .some(nil)
                } else if report.conditions[name] ?? nil == nil {
                    report.conditions[name] = .some(now)
                }
            }
            if report.total != nil { return report }
            try? await rest(Self.interval)
        } while stage.clock() - start < limit
        return report
    }

    /// How much of each kind is left; what cannot be asked counts as one.
    private func left() async -> [String: Double] {
        let live = try? await stage.view.liveSessions()
        let lag = try? await stage.view.lag()
        let metrics = try? await stage.fleet.metrics()
        let active = try? await stage.record.query("SELECT count(*) AS n FROM sessions WHERE ended_at IS NULL")
            .first?.decode("n", as: Int.self)
        var left: [String: Double] = [
            "live_sessions": live.map(Double.init) ?? 1,
            "unread_entries": lag.map { Double($0.entries + $0.unknown) } ?? 1,
            // One that does not answer says nothing of its lanes and sessions.
            "silent_processes": metrics.map { 1 - min(1, $0.minimum("earshot_supervisor_child_scraped")) } ?? 1,
            "open_lanes": metrics?.sum("earshot_worker_lanes") ?? 1,
            "gateway_sessions": metrics?.sum("earshot_gateway_sessions") ?? 1,
            "dead_leases": Double(stage.leases.dead.count),
            "active_in_record": active.map(Double.init) ?? 1,
        ]
        for group in stage.view.groupNames {
            left[LaneRelease.unread(group)] = lag.map { Double($0.byGroup[group] ?? 0) } ?? 1
            left[LaneRelease.lanes(group)] = metrics?.lanes(of: group) ?? 1
        }
        return left
    }
}
