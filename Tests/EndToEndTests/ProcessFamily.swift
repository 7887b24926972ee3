import Foundation

/// A process and what it has started, as /proc tells.
struct ProcessFamily {
    /// The process first, then its descendants.
    let pids: [Int32]

    init(of pid: Int32) {
        let all = ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int32($0) }
        let parents = Dictionary(uniqueKeysWithValues: all.map { ($0, Self.status($0)?.parent ?? 0) })
        var found = [pid]
        var next = 0
        while next < found.count {
            found += all.filter { parents[$0] == found[next] }
            next += 1
        }
        pids = found
    }

    /// Sends all of them a signal, the eldest first.
    func send(_ signal: Int32) { for pid in pids { kill(pid, signal) } }

    /// Whether a process is there and is more than an entry nobody has collected.
    static func isAlive(_ pid: Int32) -> Bool { status(pid).map { $0.state != "Z" } ?? false }

    private static func status(_ pid: Int32) -> (state: Character, parent: Int32)? {
        // The name in parentheses may hold anything; what follows the last one is state and parent.
        guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/stat") else { return nil }
        let text = String(decoding: data, as: UTF8.self)
        guard let end = text.lastIndex(of: ")") else { return nil }
        let words = text[text.index(after: end)...].split(separator: " ")
        guard words.count > 1, let state = words[0].first, let parent = Int32(words[1]) else { return nil }
        return (state, parent)
    }
}
