import ArgumentParser

/// How many processes of each role to run: `transcript=2,gateway=1`.
struct WorkerCounts: Equatable, Sendable, ExpressibleByArgument, CustomStringConvertible {
    /// The roles, in the order in which they are started.
    static let roles = [
        "coordinator", "transcript", "private-cloud", "audio-bytes", "webhook", "speaker-sample", "gateway",
    ]
    /// Each takes some 50 MB and connections to Redis and Postgres; one machine is no place for more.
    static let countMaximum = 64

    private var counts = Dictionary(uniqueKeysWithValues: roles.map { ($0, 1) })

    /// One of each.
    init() {}

    init?(argument: String) {
        guard let counts = try? WorkerCounts(parsing: argument) else { return nil }
        self = counts
    }

    /// Reads a list; roles it does not name keep their one process.
    ///
    /// - Throws: `CommandError` that names what is wrong and what is allowed.
    init(parsing text: String) throws {
        var named: Set<Substring> = []
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            let parts = item.split(separator: "=", omittingEmptySubsequences: false)
            guard parts.count == 2 else { throw Self.error("\(String(item).debugDescription) is not ROLE=N") }
            guard Self.roles.contains(String(parts[0])) else {
                throw Self.error("there is no role \(String(parts[0]).debugDescription)")
            }
            guard parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let count = Int(parts[1]),
                count <= Self.countMaximum
            else { throw Self.error("\(String(parts[1]).debugDescription) is no number of processes") }
            guard named.insert(parts[0]).inserted else { throw Self.error("\(parts[0]) is named twice") }
            counts[String(parts[0])] = count
        }
    }

    private static func error(_ problem: String) -> CommandError {
        CommandError(
            "\(problem); allowed is a list of ROLE=N separated by commas with the roles "
                + "\(roles.sorted().joined(separator: ", ")) and N from 0 to \(countMaximum)")
    }

    /// The number of processes of a role.
    subscript(role: String) -> Int { counts[role] ?? 0 }

    var description: String { Self.roles.map { "\($0)=\(self[$0])" }.joined(separator: ",") }
}
