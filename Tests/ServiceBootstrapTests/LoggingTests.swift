import FoundationEssentials
import Logging
import Testing

@testable import ServiceBootstrap

@Suite("Log lines")
struct LoggingTests {
    private func record(_ message: String = "hello", _ metadata: Logger.Metadata = [:]) -> LogRecord {
        LogRecord(
            time: UTCTimestamp(seconds: 1_772_366_400, milliseconds: 7), level: .info, label: "earshot.gateway",
            message: message, role: "gateway", node: "g1", metadata: metadata)
    }

    private func text(_ record: LogRecord, _ format: LogFormat) -> String {
        String(decoding: record.line(format), as: UTF8.self)
    }

    @Test("A text line has time, level, role, node and sorted metadata")
    func textLine() {
        let line = text(record("session ended", ["z": "1", "a": "two words", "empty": ""]), .text)
        #expect(
            line == """
                2026-03-01T12:00:00.007Z INFO earshot.gateway: session ended role=gateway node=g1 a="two words" \
                empty="" z=1

                """)
    }

    @Test("No value can start a line of its own or fake a field")
    func injection() {
        let hostile = record("one\ntwo", ["k\n": "v\" level=error\r\n\u{1B}[2J"])
        for format in LogFormat.allCases {
            let line = text(hostile, format)
            #expect(line.utf8.filter { $0 == UInt8(ascii: "\n") }.count == 1)
            #expect(!line.contains("\u{1B}"))
        }
        #expect(text(hostile, .text).contains(#"="v\" level=error\r\n\u{1B}[2J""#), "\(text(hostile, .text))")
    }

    @Test("A JSON line parses, with nested metadata")
    func jsonLine() throws {
        struct Line: Decodable {
            struct Metadata: Decodable {
                let list: [String]
                let map: [String: String]
                let odd: String
            }
            let time: String
            let level: String
            let message: String
            let role: String
            let node: String
            let metadata: Metadata
        }
        let odd = "\"\\/\u{8}\u{1F}\u{7F}\u{2028}ä🎙\t"
        let line = record("a \"b\"", ["list": ["x", "y"], "map": ["k": "v"], "odd": "\(odd)"]).line(.json)
        let parsed = try JSONDecoder().decode(Line.self, from: Data(line))
        #expect(parsed.time == "2026-03-01T12:00:00.007Z")
        #expect(parsed.message == "a \"b\"")
        #expect(parsed.metadata.list == ["x", "y"])
        #expect(parsed.metadata.map == ["k": "v"])
        #expect(parsed.metadata.odd == odd)
    }

    @Test("A huge record is cut and stays well formed")
    func huge() throws {
        let huge = record(String(repeating: "ä", count: 50_000), ["k": "\(String(repeating: "b", count: 50_000))"])
        #expect(huge.line(.text).count <= LogRecord.bytesMaximum + 8)
        let json = huge.line(.json)
        #expect(json.count <= LogRecord.bytesMaximum)
        struct Anything: Decodable {}
        _ = try JSONDecoder().decode(Anything.self, from: Data(json))
    }

    @Test("Leap days and year ends are right")
    func timestamps() {
        #expect("\(UTCTimestamp(seconds: 0, milliseconds: 0))" == "1970-01-01T00:00:00.000Z")
        #expect("\(UTCTimestamp(seconds: 951_782_400, milliseconds: 999))" == "2000-02-29T00:00:00.999Z")
        #expect("\(UTCTimestamp(seconds: 1_798_761_599, milliseconds: 50))" == "2026-12-31T23:59:59.050Z")
    }

    @Test("A handler merges metadata, the statement's last, and drops what is below its level")
    func handler() throws {
        let pipe = try Pipe()
        let writer = LogWriter(descriptor: pipe.writing)
        let configuration = ProcessConfiguration(role: "gateway", node: "g1", logLevel: .info)
        var logger = Logger(
            label: "t",
            factory: { label in
                LogSetup.handler(
                    label: label, configuration: configuration, writer: writer,
                    provider: Logger.MetadataProvider { ["a": "provider", "p": "provider"] })
            })
        logger[metadataKey: "a"] = "logger"
        logger[metadataKey: "b"] = "logger"
        logger.debug("unseen")
        logger.warning("seen", metadata: ["b": "statement"])
        let lines = pipe.available()
        #expect(lines.hasSuffix("WARNING t: seen role=gateway node=g1 a=logger b=statement p=provider\n"), "\(lines)")
        #expect(!lines.contains("unseen"))
    }

    @Test("What lasts is said at once, and then at its pace")
    func pace() {
        let notice = PacedNotice(every: .seconds(15))
        let start = ContinuousClock.now
        let due = [0, 1, 14, 15, 16, 29, 30, 100].filter { notice.isDue(at: start + .seconds($0)) }
        #expect(due == [0, 15, 30, 100])
    }
}
