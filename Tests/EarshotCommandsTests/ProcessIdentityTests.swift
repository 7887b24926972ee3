import Glibc
import Testing

@testable import EarshotCommands

@Suite("A process' identity")
struct ProcessIdentityTests {
    @Test("is read behind a name that contains anything")
    func parsing() {
        let rest = "S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 987654 20 21"
        #expect(ProcessIdentity.parse(stat: "42 (redis) \(rest)")?.startTime == 987_654)
        #expect(ProcessIdentity.parse(stat: "42 (a) R 1 ) (b) \(rest)")?.startTime == 987_654)
        #expect(ProcessIdentity.parse(stat: "42 (redis) \(rest)")?.hasEnded == false)
    }

    @Test("of a process nobody has collected counts as ended", arguments: ["Z", "X"])
    func zombie(state: String) {
        let rest = "\(state) 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 987654 20 21"
        #expect(ProcessIdentity.parse(stat: "42 (redis) \(rest)")?.hasEnded == true)
    }

    @Test("is nothing when the line is no such line", arguments: ["", "42", "42 (redis", "42 (redis) S 1 2 3"])
    func malformed(line: String) {
        #expect(ProcessIdentity.parse(stat: line) == nil)
    }

    @Test("of this process is alive")
    func own() throws {
        let own = try #require(ProcessIdentity.own)
        #expect(own.pid == getpid())
        #expect(own.isAlive)
        #expect(own.send(0))
    }

    @Test("of an earlier process with the same pid is neither alive nor signalled")
    func reusedPID() throws {
        let own = try #require(ProcessIdentity.own)
        let earlier = ProcessIdentity(pid: own.pid, startTime: own.startTime - 1)
        #expect(!earlier.isAlive)
        // A signal that went to this process would end the tests.
        #expect(!earlier.send(SIGKILL))
    }
}
