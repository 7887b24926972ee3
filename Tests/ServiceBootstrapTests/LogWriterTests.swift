import Testing

@testable import ServiceBootstrap

@Suite("The log writer")
struct LogWriterTests {
    private func line(_ number: Int, width: Int = 100) -> [UInt8] {
        let text = "\(number) "
        return Array((text + String(repeating: "x", count: width - text.utf8.count - 1) + "\n").utf8)
    }

    @Test("Lines arrive at once and in order")
    func order() throws {
        let pipe = try Pipe()
        let writer = LogWriter(descriptor: pipe.writing)
        for number in 0..<10 { writer.write(line(number)) }
        let lines = pipe.available().split(separator: "\n")
        #expect(lines.map { $0.prefix { $0 != " " } } == (0..<10).map { "\($0)" })
    }

    @Test("A reader that does not read stops nothing; what fits waits for it, the rest is dropped and counted")
    func stalled() throws {
        let pipe = try Pipe()
        let writer = LogWriter(descriptor: pipe.writing)
        let total = 2 * LogWriter.pendingBytesMaximum / 100
        for number in 0..<total { writer.write(line(number)) }
        #expect(writer.dropped > 0)
        // The reader wakes up: everything that was kept comes, whole lines, in order, without a gap.
        var received = ""
        while true {
            let part = pipe.available()
            if part.isEmpty { break }
            received += part
            writer.flush(within: .zero)
        }
        let numbers = received.split(separator: "\n").compactMap { Int($0.prefix { $0 != " " }) }
        #expect(numbers == Array(0..<numbers.count))
        #expect(numbers.count + writer.dropped == total)
    }

    @Test("A line longer than a pipe takes at once arrives whole")
    func long() throws {
        let pipe = try Pipe()
        let writer = LogWriter(descriptor: pipe.writing)
        writer.write(line(1, width: 16_000))
        #expect(pipe.available().utf8.count == 16_000)
    }

    @Test("A closed descriptor is given up quietly")
    func closed() {
        let writer = LogWriter(descriptor: -1)
        writer.write(line(1))
        writer.flush()
    }
}
