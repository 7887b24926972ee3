import Foundation
import Logging
import Synchronization
import TestSupport
import Testing

@testable import EarshotCommands

@Suite("A supervised child", .timeLimit(.minutes(2)))
struct SupervisedChildTests {
    @Test("is started again after it dies, and says so in one line")
    func restart() async throws {
        let log = RecordedLog()
        try await Self.with(script: "announce\nkill -9 $$", log: log) { child, changes in
            try await changes.wait { child.status.starts >= 3 }
            #expect(child.status.lastEnding == .signalled(9))
            #expect(log.lines.first { $0.contains("child ended") }?.contains("signal 9") == true)
        }
    }

    @Test("is ready when it says so, and not any more when it says that")
    func readiness() async throws {
        let script = """
            announce true
            read -r line < "$FIFO"
            announce false
            while :; do sleep 0.1; done
            """
        try await ScratchDirectory.with { scratch in
            let fifo = "\(scratch.path)/fifo"
            #expect(mkfifo(fifo, 0o600) == 0)
            try await Self.with(script: script, environment: ["FIFO": fifo]) { child, changes in
                try await changes.wait { child.status.isReady }
                #expect(child.status.admin == "http://127.0.0.1:1")
                try "go\n".write(toFile: fifo, atomically: false, encoding: .utf8)
                try await changes.wait { !child.status.isReady }
                #expect(child.status.starts == 1)
            }
        }
    }

    @Test("that ends well when it is asked to is not started again")
    func stop() async throws {
        try await Self.with(script: "trap 'exit 0' TERM\nannounce true\nwhile :; do sleep 0.1; done") {
            child, changes in
            try await changes.wait { child.status.isReady }
            let process = try #require(child.status.process)
            await child.stop(within: .seconds(60))
            #expect(child.status.lastEnding == .exited(0))
            #expect(child.status.starts == 1)
            #expect(!process.isAlive)
        }
    }

    @Test("that ignores SIGTERM is killed with everything it started")
    func stubborn() async throws {
        let script = """
            trap '' TERM
            sleep 1000 &
            echo $! > "$CHILD"
            announce true
            while :; do sleep 0.1; done
            """
        try await ScratchDirectory.with { scratch in
            let file = "\(scratch.path)/child"
            try await Self.with(script: script, environment: ["CHILD": file]) { child, changes in
                try await changes.wait { child.status.isReady }
                let text = try String(contentsOfFile: file, encoding: .utf8)
                let pid = try #require(Int32(text.filter(\.isNumber)))
                let grandchild = try #require(ProcessIdentity(pid: pid))
                await child.stop(within: .milliseconds(200))
                #expect(child.status.lastEnding == .signalled(9))
                // Its parent is gone: whoever adopted it takes a moment to collect it, and a zombie counts as ended.
                try await changes.wait { !grandchild.isAlive }
            }
        }
    }

    @Test("can be stopped while it waits to be started again")
    func stopInPause() async throws {
        try await Self.with(script: "exit 1") { child, changes in
            try await changes.wait { child.status.failedStarts >= 2 }
            await child.stop(within: .seconds(60))
            #expect(child.status.process == nil)
        }
    }

    @Test("that cannot be started is tried again, and counted")
    func missing() async throws {
        try await Self.with(executable: "/nonexistent/earshot-gateway", script: "") { child, changes in
            try await changes.wait { child.status.failedStarts >= 2 }
            guard case .notStarted(let reason) = child.status.lastEnding else {
                Issue.record("ended with \(String(describing: child.status.lastEnding))")
                return
            }
            #expect(reason.contains("/nonexistent/earshot-gateway"), "\(reason)")
        }
    }

    @Test("that prints something else is not ready, and the log says what it was")
    func unexpectedOutput() async throws {
        let log = RecordedLog()
        try await Self.with(script: "echo hello\nwhile :; do sleep 0.1; done", log: log) { child, changes in
            try await changes.wait { log.lines.contains { $0.contains("hello") } }
            #expect(!child.status.isReady)
        }
    }

    /// Runs the body while a child runs a shell script; the child is stopped afterwards.
    private static func with(
        executable: String = "/bin/sh", script: String, environment: [String: String?] = [:],
        log: RecordedLog = RecordedLog(), _ body: (SupervisedChild, Changes) async throws -> Void
    ) async throws {
        let announce = """
            announce() {
                printf '{"role":"test","node":"test-0","pid":%s,"ready":%s,"admin":"%s"}\\n' $$ "$1" http://127.0.0.1:1
            }
            """
        let changes = Changes()
        let child = SupervisedChild(role: "test", node: "test-0", logger: log.logger, onChange: {}) { _ in
            ChildSpecification(
                role: "test", node: "test-0", executable: executable, arguments: ["-c", announce + "\n" + script],
                environment: environment)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await child.run() }
            child.start()
            do {
                try await body(child, changes)
            } catch {
                await child.stop(within: .zero)
                throw error
            }
            await child.stop(within: .zero)
        }
    }

    /// Looks at what another process does.
    struct Changes {
        func wait(_ condition: () -> Bool) async throws {
            let deadline = ContinuousClock.now + .seconds(60)
            while !condition() {
                guard ContinuousClock.now < deadline else { throw CommandError("it did not happen within a minute") }
                try await ContinuousClock().sleep(for: .milliseconds(10))
            }
        }
    }
}
