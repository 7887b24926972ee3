import Foundation
import Glibc

/// A process that cannot be confused with a later one of the same pid.
struct ProcessIdentity: Codable, Hashable, Sendable {
    let pid: Int32
    /// When it started, in clock ticks since the machine did: field 22 of `/proc/PID/stat`.
    let startTime: UInt64

    init(pid: Int32, startTime: UInt64) {
        self.pid = pid
        self.startTime = startTime
    }

    /// The process that has this pid now; nil when there is none, or when it has ended and nobody has collected it.
    init?(pid: Int32) {
        guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/stat"),
            let stat = Self.parse(stat: String(decoding: data, as: UTF8.self)), !stat.hasEnded
        else { return nil }
        self.init(pid: pid, startTime: stat.startTime)
    }

    /// This process.
    static var own: ProcessIdentity? { ProcessIdentity(pid: getpid()) }

    /// Whether it is still running.
    var isAlive: Bool { ProcessIdentity(pid: pid) == self }

    /// Sends a signal if the process is still the one meant.
    ///
    /// - Parameters:
    ///   - signal: Its number.
    ///   - isForGroup: Sends it to the whole group that the process leads.
    /// - Returns: Whether it was sent.
    @discardableResult
    func send(_ signal: Int32, toGroup isForGroup: Bool = false) -> Bool {
        // Between the look and the signal lie microseconds; a pid comes round after 32,768 processes at the soonest.
        guard isAlive else { return false }
        if isForGroup, getpgid(pid) == pid { return kill(-pid, signal) == 0 }
        return kill(pid, signal) == 0
    }

    /// Reads a line of `/proc/PID/stat`; the name in parentheses may hold anything, also spaces and parentheses.
    static func parse(stat: String) -> (startTime: UInt64, hasEnded: Bool)? {
        guard let end = stat.lastIndex(of: ")") else { return nil }
        // The first field behind the name is the third of proc(5).
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        guard fields.count > 19, let startTime = UInt64(fields[19]) else { return nil }
        return (startTime, fields[0] == "Z" || fields[0] == "X")
    }
}
