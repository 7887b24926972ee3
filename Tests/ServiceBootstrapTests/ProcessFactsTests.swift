import Glibc
import Logging
import Testing

@testable import ServiceBootstrap

@Suite("Process facts")
struct ProcessFactsTests {
    @Test("The soft limit of open files becomes the hard one")
    func openFiles() {
        let raised = ProcessFacts.raiseOpenFilesLimit()
        var limit = rlimit()
        #expect(getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
        #expect(limit.rlim_cur == limit.rlim_max)
        #expect(raised == Int(clamping: limit.rlim_max))
    }

    @Test("Writing to a closed pipe is an error and not the end")
    func brokenPipe() {
        ProcessFacts.ignoreBrokenPipes()
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        close(ends[0])
        #expect(write(ends[1], [1], 1) == -1)
        #expect(errno == EPIPE)
        close(ends[1])
    }

    @Test("M3: a process whose work hangs and cannot be cancelled ends itself, as a software error")
    func hang() async {
        await #expect(processExitsWith: .exitCode(EX_SOFTWARE)) {
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            ProcessFacts.end(after: .milliseconds(50), "a lane hangs", logger)
            // A process that outlives it ends with another code.
            // tidy:allow Task.sleep this is what hangs: it holds its thread
            sleep(20)
        }
    }
}
