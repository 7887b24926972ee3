import Testing

@testable import SpeechRecognition

@Suite("The segmenter's decisions")
struct SpeechSegmenterTests {
    private static let window = SegmentationPolicy.windowCount

    @Test("An utterance closes after 16 windows of silence, with 96 ms before and 200 ms after the speech")
    func closes() throws {
        let outcome = try feed([(0, 20), (0.9, 30), (0, 40)])
        guard case .utterance(let utterance, let restart) = outcome else {
            Issue.record("\(String(describing: outcome))")
            return
        }
        #expect(utterance.speech == 20 * Self.window..<50 * Self.window)
        #expect(utterance.start == 20 * Self.window - 1_536)
        #expect(utterance.end == 50 * Self.window + 3_200)
        #expect(utterance.samples.count == utterance.end - utterance.start)
        #expect(utterance.samples[1_535] == 0)
        #expect(utterance.samples[1_536] == 0.9)
        // The close is at window 66; the restart point lies 4,096 samples before it, on a whole 20 ms.
        #expect(restart == (66 * Self.window - 4_096) / 320 * 320)
        #expect(restart > utterance.speech.upperBound)
    }

    @Test("Speech from the first sample on has no audio before it")
    func fromTheStart() throws {
        guard case .utterance(let utterance, _) = try feed([(0.9, 10), (0, 16)]) else {
            Issue.record("no utterance")
            return
        }
        #expect(utterance.start == 0)
        #expect(utterance.speech == 0..<10 * Self.window)
    }

    @Test("Between the thresholds speech goes on and silence, too")
    func hysteresis() throws {
        // 0.4 begins nothing.
        #expect(try feed([(0.4, 100)]) == nil)
        // After speech 0.4 is speech: 8 + 8 windows; after silence it is silence and closes.
        guard case .utterance(let utterance, _) = try feed([(0.9, 8), (0.4, 8), (0.1, 1), (0.4, 15)]) else {
            Issue.record("no utterance")
            return
        }
        #expect(utterance.speech == 0..<16 * Self.window)
    }

    @Test("A pause shorter than the closing silence is part of the utterance")
    func shortPause() throws {
        guard case .utterance(let utterance, _) = try feed([(0.9, 8), (0, 15), (0.9, 8), (0, 16)]) else {
            Issue.record("no utterance")
            return
        }
        #expect(utterance.speech == 0..<31 * Self.window)
    }

    @Test("A click is no utterance, and the stream restarts quietly after 5 s")
    func click() throws {
        let outcome = try feed([(0, 10), (0.9, 5), (0, 200)])
        // 80,000 samples are reached with window 157.
        #expect(outcome == .quiet(restart: (157 * Self.window - 4_096) / 320 * 320))
        guard case .utterance = try feed([(0, 10), (0.9, 6), (0, 200)]) else {
            Issue.record("192 ms are an utterance")
            return
        }
    }

    @Test("A click that is open at 5 s delays the quiet restart until it is over")
    func lateClick() throws {
        #expect(
            try feed([(0, 155), (0.9, 2), (0, 200)]) == .quiet(restart: (173 * Self.window - 4_096) / 320 * 320))
    }

    @Test("Speech without a pause is cut within 30 s, at the quietest place of the last 10 s")
    func forcedCut() throws {
        // Quieter speech at windows 700..<710, and earlier, out of reach, even quieter at 300..<310.
        let outcome = try feed([(0.9, 300), (0.6, 10), (0.9, 390), (0.7, 10), (0.9, 400)])
        guard case .utterance(let utterance, let restart) = outcome else {
            Issue.record("no utterance")
            return
        }
        #expect(utterance.end == restart)
        #expect(restart % 320 == 0)
        #expect((700 * Self.window..<710 * Self.window).contains(restart))
        #expect(utterance.samples.count <= 480_000)
        #expect(utterance.speech.upperBound == restart)
    }

    @Test("Even speech of one loudness is cut, and the stream gets on")
    func monotone() throws {
        let run = try StreamRun(
            ScriptedVoiceActivity.samples([(0.9, 3_000)]), model: ScriptedVoiceActivity(), chunk: { 10_000 })
        #expect(run.heard.count >= 3)
        for (one, next) in zip(run.heard, run.heard.dropFirst()) {
            #expect(one.start + one.utterance.samples.count == next.start)
            #expect(one.utterance.samples.count <= 480_000)
        }
    }

    @Test("The open utterance is heard from 192 ms on and grows with every window")
    func openUtterance() throws {
        var segmenter = SpeechSegmenter(ScriptedVoiceActivity())
        _ = try segmenter.feed(ScriptedVoiceActivity.samples([(0, 10), (0.9, 5)])[...])
        #expect(segmenter.openUtterance == nil)
        _ = try segmenter.feed(ScriptedVoiceActivity.samples([(0.9, 1)])[...])
        #expect(segmenter.openUtterance?.count == 6 * Self.window + 1_536)
        _ = try segmenter.feed(ScriptedVoiceActivity.samples([(0.9, 3)])[...])
        #expect(segmenter.openUtterance?.count == 9 * Self.window + 1_536)
        #expect(segmenter.position == 19 * Self.window)
    }

    @Test("Samples after the outcome are not taken")
    func takesUpToTheOutcome() throws {
        var segmenter = SpeechSegmenter(ScriptedVoiceActivity())
        _ = try segmenter.feed(ScriptedVoiceActivity.samples([(0.9, 10), (0, 500)])[...])
        #expect(segmenter.position == 26 * Self.window)
    }

    @Test("The end of the stream ends the utterance, and counts the last incomplete window")
    func finish() throws {
        var segmenter = SpeechSegmenter(ScriptedVoiceActivity())
        #expect(try segmenter.feed([Float](repeating: 0.9, count: 6 * Self.window - 100)[...]) == nil)
        let utterance = try #require(try segmenter.finish())
        #expect(utterance.samples == [Float](repeating: 0.9, count: 6 * Self.window - 100))
        #expect(utterance.speech == 0..<6 * Self.window - 100)

        var pausing = SpeechSegmenter(ScriptedVoiceActivity())
        #expect(try pausing.feed(ScriptedVoiceActivity.samples([(0.9, 10), (0, 10)])[...]) == nil)
        #expect(try pausing.finish()?.end == 10 * Self.window + 3_200)
    }

    @Test("The end of silence, of a click and of nothing is no utterance", arguments: [0, 3])
    func finishWithout(speechWindows: Int) throws {
        var segmenter = SpeechSegmenter(ScriptedVoiceActivity())
        _ = try segmenter.feed(ScriptedVoiceActivity.samples([(0.9, speechWindows), (0, 10)])[...])
        #expect(try segmenter.finish() == nil)
        var unfed = SpeechSegmenter(ScriptedVoiceActivity())
        #expect(try unfed.finish() == nil)
    }

    @Test("A cut in silence restarts before the last windows")
    func cutInSilence() throws {
        var segmenter = SpeechSegmenter(ScriptedVoiceActivity())
        _ = try segmenter.feed(ScriptedVoiceActivity.samples([(0, 50)])[...])
        let (utterance, restart) = segmenter.cut()
        #expect(utterance == nil)
        #expect(restart == (50 * Self.window - 4_096) / 320 * 320)
        var unfed = SpeechSegmenter(ScriptedVoiceActivity())
        #expect(unfed.cut().restart == 0)
    }

    @Test("A cut of an open utterance is at the quietest place of its later half")
    func cutWhileSpeaking() throws {
        var segmenter = SpeechSegmenter(ScriptedVoiceActivity())
        let script: [(Float, Int)] = [(0, 20), (0.9, 20), (0.5, 10), (0.9, 70), (0.6, 10), (0.9, 30)]
        _ = try segmenter.feed(ScriptedVoiceActivity.samples(script)[...])
        let (utterance, restart) = segmenter.cut()
        #expect((120 * Self.window..<130 * Self.window).contains(restart))
        #expect(utterance?.end == restart)
        #expect(utterance?.start == 20 * Self.window - 1_536)
    }

    @Test("A cut of an utterance shorter than 3 s leaves all of it to the successor", arguments: [1, 93])
    func cutAtTheBeginning(speechWindows: Int) throws {
        var segmenter = SpeechSegmenter(ScriptedVoiceActivity())
        _ = try segmenter.feed(ScriptedVoiceActivity.samples([(0, 20), (0.9, speechWindows)])[...])
        let (utterance, restart) = segmenter.cut()
        #expect(utterance == nil)
        #expect(restart == (20 * Self.window - 1_536) / 320 * 320)
    }

    @Test("A failure of the model is passed on")
    func failure() throws {
        var segmenter = SpeechSegmenter(ScriptedVoiceActivity())
        let error = #expect(throws: RecognitionError.self) {
            try segmenter.feed(ScriptedVoiceActivity.samples([(ScriptedVoiceActivity.Stream.failing, 1)])[...])
        }
        #expect(error?.code == .unavailable)
    }

    @Test("Values that are no numbers become silence, loud ones are clamped")
    func sanitizes() throws {
        var samples = ScriptedVoiceActivity.samples([(0.9, 10), (0, 16)])
        samples[10] = .nan
        samples[11] = .infinity
        samples[12] = -1_000
        var segmenter = SpeechSegmenter(ScriptedVoiceActivity())
        guard case .utterance(let utterance, _) = try segmenter.feed(samples[...]) else {
            Issue.record("no utterance")
            return
        }
        #expect(utterance.samples[10...12] == [0, 0, -1])
    }

    private func feed(_ script: [(Float, Int)]) throws -> SpeechSegmenter.Outcome? {
        var segmenter = SpeechSegmenter(ScriptedVoiceActivity())
        return try segmenter.feed(ScriptedVoiceActivity.samples(script)[...])
    }
}
