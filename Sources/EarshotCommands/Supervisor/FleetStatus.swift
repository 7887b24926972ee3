/// What an `earshot up` tells about itself: the line of `--json`, and `GET /pids`.
struct FleetStatus: Encodable, Equatable, Sendable {
    var ready: Bool
    /// Where devices connect, of the first gateway; left out while there is none.
    var listen: String?
    var admin: String
    /// By role; every role is there, also one without processes.
    var pids: [String: [Int32]]
}
