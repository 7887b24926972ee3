import Foundation

/// The line a role's process prints when it becomes ready, or unready (`EARSHOT_ANNOUNCE`).
struct ChildAnnouncement: Decodable, Equatable, Sendable {
    let role: String
    let node: String
    let pid: Int32
    let ready: Bool
    let admin: String?
    let listen: String?

    /// Reads a line; nil when it is something else.
    init?(line: String) {
        guard let announcement = try? JSONDecoder().decode(Self.self, from: Data(line.utf8)) else { return nil }
        self = announcement
    }
}
