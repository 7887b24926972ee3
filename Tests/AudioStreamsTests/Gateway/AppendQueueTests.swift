import EarshotModel
import Testing

@testable import AudioStreams

@Suite("Append queue")
struct AppendQueueTests {
    private let first = SessionID.new(at: 1)
    private let second = SessionID.new(at: 2)

    /// A queue with operations named by their session's number and place.
    private func queue(_ operations: [(String, AppendQueue<String>.Kind)], sent: Bool = true) -> AppendQueue<String> {
        var queue = AppendQueue<String>()
        for (name, kind) in operations { queue.append(name, kind) }
        if sent { _ = queue.send { _ in } }
        return queue
    }

    private func sent(_ queue: inout AppendQueue<String>) -> [String] {
        var names: [String] = []
        _ = queue.send { names.append($0) }
        return names
    }

    @Test("Without refusals operations complete in order, and a lost connection sends again what is unanswered")
    func plain() {
        var queue = queue([("a1", .append(first)), ("b1", .append(second)), ("a2", .append(first)), ("x", .other)])
        #expect(queue.answered(isRefused: false).completed == "a1")
        #expect(sent(&queue).isEmpty)
        let late = queue.connectionLost()
        #expect(late.isEmpty && queue.count == 3)
        #expect(sent(&queue) == ["b1", "a2", "x"])
    }

    @Test("Refused operations go again in order, before what came later, once the wire is quiet")
    func refused() {
        var queue = queue([
            ("a1", .append(first)), ("a?", .tail(first)), ("b1", .append(second)), ("a2", .append(first)),
        ])
        _ = queue.answered(isRefused: true)
        // The check says something only behind the append.
        #expect(queue.answered(isRefused: false).completed == nil)
        #expect(queue.isRefusing)
        let other = queue.answered(isRefused: false)
        #expect(other.completed == "b1" && other.overtaken.isEmpty)
        queue.append("a3", .append(first))
        #expect(sent(&queue).isEmpty && queue.isOnTheWire)
        _ = queue.answered(isRefused: true)
        #expect(!queue.isOnTheWire && queue.count == 4)
        let late = queue.connectionLost()
        #expect(late.isEmpty && sent(&queue) == ["a1", "a?", "a2", "a3"])
    }

    @Test("An append that a later one, or the end, of its session has overtaken is given up; others go again")
    func overtaken() {
        for later in [AppendQueue<String>.Kind.append(first), .end(first)] {
            var queue = queue([
                ("a1", .append(first)), ("b1", .append(second)), ("a2", later), ("b2", .append(second)),
                ("a3", .append(first)),
            ])
            _ = queue.answered(isRefused: true)
            _ = queue.answered(isRefused: true)
            let settlement = queue.answered(isRefused: false)
            #expect(settlement.completed == "a2" && settlement.overtaken == ["a1"])
            _ = queue.answered(isRefused: true)
            _ = queue.answered(isRefused: true)
            let late = queue.connectionLost()
            #expect(late.isEmpty && sent(&queue) == ["b1", "b2", "a3"])
        }
    }

    @Test("What has no answer may have been taken: it overtakes too, and is sent again")
    func unknown() {
        var queue = queue([("a1", .append(first)), ("b1", .append(second)), ("a2", .append(first))])
        _ = queue.answered(isRefused: true)
        let late = queue.connectionLost()
        #expect(late == ["a1"] && sent(&queue) == ["b1", "a2"])
        let all = queue.removeAll()
        #expect(all == ["b1", "a2"] && queue.isEmpty)
    }
}
