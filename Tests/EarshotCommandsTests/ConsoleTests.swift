import EarshotClient
import EarshotModel
import Testing

@testable import EarshotCommands
@testable import SessionRecord

@Suite("What a person sees")
struct ConsoleTests {
    @Test(
        "A progress bar fits its line and shows its share",
        arguments: [
            (0.0, "[··········] x"), (0.5, "[█████·····] x"), (0.999, "[█████████·] x"), (1.0, "[██████████] x"),
            (7.0, "[██████████] x"), (-1.0, "[··········] x"), (.nan, "[··········] x"),
        ])
    func bar(fraction: Double, expected: String) {
        #expect(ConsoleProgress.bar(fraction: fraction, label: "x", columns: 15) == expected)
    }

    @Test("A progress bar never reaches the line's end, however narrow", arguments: 0...100)
    func barWidth(columns: Int) {
        let bar = ConsoleProgress.bar(fraction: 0.5, label: "0:12.3 of 1:00.0", columns: columns)
        #expect(bar.count <= max(0, columns - 1))
    }

    @Test("A long line keeps its end, where the newest words are")
    func tail() {
        #expect(ConsoleProgress.tail("it was the best of times", columns: 12) == "…t of times")
        #expect(ConsoleProgress.tail("short", columns: 12) == "short")
    }

    @Test(
        "A time is minutes, seconds and tenths",
        arguments: [
            (0.0, "0:00.0"), (9.96, "0:09.9"), (61.25, "1:01.2"), (3_600, "60:00.0"), (-3, "0:00.0"), (.nan, "0:00.0"),
        ])
    func clock(seconds: Double, text: String) {
        #expect(ConsoleSessions.clock(seconds: seconds) == text)
    }

    @Test("Sessions stand in columns, live ones say so, and no line ends in a blank")
    func table() {
        let ended = RecordedSession(
            id: "0190-a", uid: "bob", conversation: "c", codec: "opus_fs320", sampleRate: 16_000, language: "en",
            source: nil, gateway: "gateway-0", startedAt: 1_700_000_000_123_456, endedAt: 1_700_000_060_999_999,
            endReason: "client_closed", audioSeconds: 59.96)
        let live = RecordedSession(id: "0190-b", uid: "alice", conversation: "c")
        let lines = ConsoleSessions.table([ListedSession(ended), ListedSession(live)]).split(separator: "\n")
        #expect(
            lines == [
                "SESSION  UID    CODEC       STARTED               ENDED                 WHY            AUDIO",
                "0190-a   bob    opus_fs320  2023-11-14T22:13:20Z  2023-11-14T22:14:20Z  client_closed  0:59.9",
                "0190-b   alice  –           –                     live                  –              –",
            ])
        #expect(ConsoleSessions.table([]).contains("no sessions"))
    }

    @Test("A transcript says when, who, and who that is where it is known")
    func transcript() {
        let id = UniqueID(high: 0, low: 1)
        var segments = ["one", "two", "three"].map {
            TranscriptSegment(id: id, text: $0, start: 61.25, end: 62, sttProvider: nil)
        }
        segments[1].isUser = true
        segments[2].speaker = "SPEAKER_01"
        segments[2].personID = "p-7f3a"
        #expect(
            ConsoleSessions.transcript(segments).split(separator: "\n") == [
                "1:01.2  SPEAKER_00  one", "1:01.2  SPEAKER_00 (user)  two", "1:01.2  SPEAKER_01 (p-7f3a)  three",
            ])
    }

    @Test("A page says how to get the next one, if there is one")
    func pages() {
        let session = ListedSession(RecordedSession(id: "0190-a", uid: "bob", conversation: "c"))
        let page = ConsoleSessions.listing(SessionListing(sessions: [session], next: "0190-a"))
        #expect(page.hasSuffix("\nmore: the same with --before 0190-a"))
        #expect(!ConsoleSessions.listing(SessionListing(sessions: [session], next: nil)).contains("--before"))
    }

    @Test("Times in JSON are UTC with milliseconds")
    func timestamp() {
        #expect(ListedSession.timestamp(1_700_000_060_999_999) == "2023-11-14T22:14:20.999Z")
        #expect(ListedSession.timestamp(0) == "1970-01-01T00:00:00.000Z")
    }

    @Test("A token is only shown when there is one to show")
    func summary() {
        let status = FleetStatus(ready: true, listen: "ws://127.0.0.1:8080", admin: "http://127.0.0.1:8081", pids: [:])
        let plain = ConsoleFleet.summary(status, dataDirectory: "/data", token: nil)
        #expect(!plain.contains("token"))
        #expect(plain.contains("ws://127.0.0.1:8080/v4/listen"))
        #expect(ConsoleFleet.summary(status, dataDirectory: "/data", token: "abc.def").contains("\n  abc.def\n"))
    }

    @Test("The ready line has the members that are promised, in one line")
    func readyLine() throws {
        let status = FleetStatus(
            ready: true, listen: "ws://127.0.0.1:8080", admin: "http://127.0.0.1:8081",
            pids: ["gateway": [1, 2], "redis": []])
        #expect(
            try ConsoleJSON.line(status)
                == #"{"admin":"http://127.0.0.1:8081","listen":"ws://127.0.0.1:8080","#
                + #""pids":{"gateway":[1,2],"redis":[]},"ready":true}"#)
    }
}
