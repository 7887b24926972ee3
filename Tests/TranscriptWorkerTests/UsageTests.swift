import EarshotModel
import Testing

@testable import TranscriptWorker

@Suite("Usage: absolute totals of a session and day")
struct UsageTests {
    private let pattern = [(400, 900), (1_200, 700), (800, 800), (2_000, 600), (300, 0)]
    private let midnight = Int64(20_000) * 86_400_000_000

    private var frames: [[UInt8]] {
        let audio = Bursts.pcm(pattern)
        return stride(from: 0, to: audio.count, by: 640).map { Array(audio[$0..<min($0 + 640, audio.count)]) }
    }

    private var seconds: Double { Double(frames.reduce(0) { $0 + $1.count }) / 32_000 }

    /// The newest total of each day.
    private func totals(from start: Int64, abandonAfter: [Int] = []) async throws -> [String: SessionUsage] {
        let events = try await TranscriptWorkerTests().events(
            of: frames, framesAnEntry: 12, from: start, abandonAfter: abandonAfter)
        var newest: [String: (ordinal: UInt64, usage: SessionUsage)] = [:]
        for event in events {
            guard let usage = event.usage else { continue }
            if event.ordinal >= newest[usage.day]?.ordinal ?? 0 { newest[usage.day] = (event.ordinal, usage) }
        }
        return newest.mapValues(\.usage)
    }

    @Test("All that came in is received, and the speech of it is transcribed")
    func oneDay() async throws {
        let totals = try await totals(from: midnight + 3_600_000_000)
        let usage = try #require(totals["2024-10-04"])
        #expect(totals.count == 1)
        #expect(abs(usage.receivedSeconds - seconds) < 0.000_1)
        #expect(usage.transcribedSeconds > 4 && usage.transcribedSeconds < seconds)
    }

    @Test("Workers that die, and what is replayed then, change no total", arguments: [[1], [1, 2, 3]])
    func crashes(abandonAfter: [Int]) async throws {
        let start = midnight + 3_600_000_000
        let undisturbed = try await totals(from: start)
        #expect(try await totals(from: start, abandonAfter: abandonAfter) == undisturbed)
    }

    @Test("Midnight falls into a session: each day has what was captured in it", arguments: [[], [1, 2]])
    func midnightFalls(abandonAfter: [Int]) async throws {
        let totals = try await totals(from: midnight - 3_000_000, abandonAfter: abandonAfter)
        #expect(totals.count == 2)
        let before = try #require(totals["2024-10-03"])
        let after = try #require(totals["2024-10-04"])
        #expect(abs(before.receivedSeconds - 3) < 0.021, "a frame counts for the day it began in")
        #expect(abs(before.receivedSeconds + after.receivedSeconds - seconds) < 0.000_1)
        #expect(before.transcribedSeconds > 0 && after.transcribedSeconds > 0)
    }

    @Test("A day that is over is told with its final total, however many pass")
    func finishedDays() {
        var usage = DayUsage()
        #expect(usage.add(received: 5, on: UTCDay(number: 1)) == nil)
        #expect(usage.add(received: 6, on: UTCDay(number: 1)) == nil)
        let finished = usage.add(received: 1, transcribed: 1, on: UTCDay(number: 4))
        #expect(finished?.received == 11 && finished?.day == UTCDay(number: 1))
        #expect(usage.add(received: 2, on: UTCDay(number: 3)) == nil, "time does not go back")
        #expect(usage.received == 3 && usage.transcribed == 1 && usage.day == UTCDay(number: 4))
    }

    @Test(
        "Days are written as people write them",
        arguments: [
            (0, "1970-01-01"), (-1, "1969-12-31"), (59, "1970-03-01"), (11_016, "2000-02-29"), (11_017, "2000-03-01"),
            (20_783, "2026-11-26"), (47_540, "2100-02-28"), (47_541, "2100-03-01"),
        ])
    func days(number: Int, text: String) {
        #expect(UTCDay(number: Int32(number)).description == text)
        #expect(UTCDay(of: Int64(number) * 86_400_000_000).number == Int32(number))
        #expect(UTCDay(of: Int64(number + 1) * 86_400_000_000 - 1).number == Int32(number))
    }
}
