/// How long the lanes of each group of workers stayed once that group had read everything.
package enum LaneRelease {
    private static let unreadPrefix = "unread_entries."
    private static let lanesPrefix = "open_lanes."

    /// The condition under which a group's unread entries stand in `QuietWatch`.
    static func unread(_ group: String) -> String { unreadPrefix + group }

    /// The condition under which a group's open lanes stand there.
    static func lanes(_ group: String) -> String { lanesPrefix + group }

    /// Seconds that each group's last lane stayed behind its own last unread entry.
    ///
    /// A group's position passes the marker in the same commit that ends the lane; what another group has still to read
    /// excuses nothing.
    ///
    /// - Parameter conditions: When each condition began to hold for good; nil if it never did.
    /// - Returns: The seconds by group, without groups whose lanes or entries never went, which is no release at all.
    package static func delays(_ conditions: [String: Double?]) -> [String: Double] {
        var delays: [String: Double] = [:]
        for (name, moment) in conditions where name.hasPrefix(lanesPrefix) {
            let group = String(name.dropFirst(lanesPrefix.count))
            guard let gone = moment, let read = conditions[unread(group)] ?? nil else { continue }
            delays[group] = max(0, gone - read)
        }
        return delays
    }
}
