import AudioStreams
import EarshotModel
import FoundationEssentials
import SpeechRecognition
import TestSupport
import Testing

@testable import TranscriptWorker

/// Text of open utterances, from a worker that runs while a device speaks.
@Suite("Interim text", .timeLimit(.minutes(5))) struct InterimTests {
    private static let often = Duration.milliseconds(20)

    private func segments(_ result: LiveResult?) throws -> [TranscriptSegment] {
        let text = try #require(result?.text)
        return try JSONDecoder().decode([TranscriptSegment].self, from: Data(text.utf8))
    }

    @Test("An interim has the id of the final it becomes, and none comes after that")
    func final() async throws {
        try await SpeakingDevice.with(interimInterval: Self.often, recognizer: TwoTextRecognizer()) { device in
            let interim = try await eventually("an interim") {
                try await device.speak()
                return device.published(.interim).first
            }
            try await eventually("the final") {
                try await device.pause()
                return !device.published(.final).isEmpty
            }
            let early = try #require(try segments(interim).first)
            let late = try #require(try segments(device.published(.final).first).first)
            #expect(early.id == late.id)
            #expect(abs(early.start - late.start) < 0.3)
            #expect(early.text == "so far" && late.text == "all of it")
            // Whatever was asked for the first utterance is answered before the second one's final.
            for _ in 0..<10 { try await device.speak() }
            try await eventually("the second final") {
                try await device.pause()
                return device.published(.final).count == 2
            }
            let order = device.published.filter { $0.ordinal == 0 }.map(\.kind)
            #expect(order.last == .final)
            #expect(order.count { $0 == .final } == 1)
            #expect(device.events.flatMap { $0.segments ?? [] }.allSatisfy { $0.text == "all of it" })
        }
    }

    @Test("Interims of a session come at most once an interval")
    func rate() async throws {
        let interval = Duration.milliseconds(300)
        try await SpeakingDevice.with(interimInterval: interval, recognizer: TwoTextRecognizer()) { device in
            let start = ContinuousClock.now
            try await eventually("four interims") {
                try await device.speak()
                return device.published(.interim).count >= 4
            }
            let elapsed = ContinuousClock.now - start
            #expect(Double(device.published(.interim).count) <= elapsed / interval + 1)
        }
    }

    @Test("Interim text that becomes nothing is withdrawn under its id")
    func withdrawn() async throws {
        let recognizer = TwoTextRecognizer(final: "")
        try await SpeakingDevice.with(interimInterval: Self.often, recognizer: recognizer) { device in
            let interim = try await eventually("an interim") {
                try await device.speak()
                return device.published(.interim).first
            }
            let withdrawal = try await eventually("the withdrawal") {
                try await device.pause()
                return device.published(.withdrawn).first
            }
            let id = try #require(try segments(interim).first?.id)
            #expect(withdrawal.text == #"{"type":"segments_deleted","segment_ids":["\#(id)"]}"#)
            #expect(device.published(.final).isEmpty)
        }
    }

    @Test("An interim that was under way when its final came is dropped")
    func late() async throws {
        let recognizer = HeldInterimRecognizer()
        try await SpeakingDevice.with(interimInterval: Self.often, recognizer: recognizer) { device in
            try await eventually("an interim under way") {
                try await device.speak()
                return recognizer.isHolding
            }
            try await eventually("the final") {
                try await device.pause()
                return !device.published(.final).isEmpty
            }
            recognizer.release()
            // The publisher has one worker in this test: a later interim comes behind the one released.
            try await eventually("an interim of the next utterance") {
                try await device.speak()
                return device.published(.interim).contains { $0.ordinal == 1 }
            }
            #expect(!device.published(.interim).contains { $0.ordinal == 0 })
        }
    }

    @Test("Switched off there are none, and finals come all the same")
    func off() async throws {
        try await SpeakingDevice.with(interimInterval: nil, recognizer: TwoTextRecognizer()) { device in
            for _ in 0..<10 { try await device.speak() }
            try await eventually("the final") {
                try await device.pause()
                return !device.published(.final).isEmpty
            }
            #expect(device.published(.interim).isEmpty)
            #expect(device.published(.withdrawn).isEmpty)
        }
    }
}
