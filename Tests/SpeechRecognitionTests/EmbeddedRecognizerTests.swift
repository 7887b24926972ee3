import Dispatch
import Logging
import Synchronization
import Testing

@testable import SpeechRecognition

@Suite("A recogniser's threads", .timeLimit(.minutes(5)))
struct EmbeddedRecognizerTests {
    /// An engine whose calls wait for the test, and that says which request it serves by its first sample.
    private final class GatedEngine: Sendable {
        let gate = DispatchSemaphore(value: 0)
        let entered = Mutex<[Int]>([])
        private let entries = AsyncStream.makeStream(of: Int.self, bufferingPolicy: .bufferingOldest(100))

        func make() -> RecognitionEngine {
            RecognitionEngine { (samples) throws(RecognitionError) in
                let number = Int(samples[0])
                self.entered.withLock { $0.append(number) }
                self.entries.continuation.yield(number)
                self.gate.wait()
                if number == 13 { throw RecognitionError(.rejectedInput, "13") }
                return "text \(number)"
            }
        }

        /// Waits until another call has begun.
        func untilEntered() async -> Int? {
            for await number in entries.stream { return number }
            return nil
        }
    }

    @Test("Requests are answered with their own text, finals before interims")
    func order() async throws {
        let engine = GatedEngine()
        try await withRecognizer(engine, threads: 1) { recognizer in
            async let first = recognizer.transcribe([1], priority: .final)
            #expect(await engine.untilEntered() == 1)
            async let interim = recognizer.transcribe([2], priority: .interim)
            await untilWaiting(recognizer, 1)
            async let second = recognizer.transcribe([3], priority: .final)
            await untilWaiting(recognizer, 2)
            for _ in 0..<3 { engine.gate.signal() }
            expect("text 1", try await first)
            expect("text 3", try await second)
            expect("text 2", try await interim)
        }
        #expect(engine.entered.withLock { $0 } == [1, 3, 2])
    }

    @Test("A failed utterance fails alone")
    func rejected() async throws {
        let engine = GatedEngine()
        try await withRecognizer(engine, threads: 1) { recognizer in
            for _ in 0..<2 { engine.gate.signal() }
            await expect(.rejectedInput) { try await recognizer.transcribe([13], priority: .final) }
            expect("text 14", try await recognizer.transcribe([14], priority: .final))
        }
    }

    @Test("More than 30 s are refused with both numbers, without a thread")
    func tooLong() async throws {
        let recognizer = recognizer(GatedEngine(), threads: 1)
        let error = await expect(.rejectedInput) {
            try await recognizer.transcribe([Float](repeating: 0, count: 480_001), priority: .final)
        }
        #expect(error?.message.contains("480001") == true)
        #expect(error?.message.contains("480000") == true)
    }

    @Test("A cancelled caller returns at once, whether it waits or is served, and the thread goes on")
    func cancelled() async throws {
        let engine = GatedEngine()
        try await withRecognizer(engine, threads: 1) { recognizer in
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await expect(.cancelled) { try await recognizer.transcribe([1], priority: .final) } }
                #expect(await engine.untilEntered() == 1)
                group.addTask { await expect(.cancelled) { try await recognizer.transcribe([2], priority: .final) } }
                await untilWaiting(recognizer, 1)
                group.cancelAll()
                // Cancelled before it begins.
                group.addTask { await expect(.cancelled) { try await recognizer.transcribe([3], priority: .final) } }
            }
            for _ in 0..<2 { engine.gate.signal() }
            expect("text 4", try await recognizer.transcribe([4], priority: .final))
        }
        #expect(engine.entered.withLock { $0 } == [1, 4])
    }

    @Test("A newer interim of the same caller ends the older one")
    func superseded() async throws {
        let engine = GatedEngine()
        try await withRecognizer(engine, threads: 1) { recognizer in
            async let first = recognizer.transcribe([1], priority: .final)
            #expect(await engine.untilEntered() == 1)
            async let older: Void = expectVoid(.superseded) {
                try await recognizer.transcribe([2], priority: .interim(of: 5))
            }
            await untilWaiting(recognizer, 1)
            async let newer = recognizer.transcribe([3], priority: .interim(of: 5))
            await older
            for _ in 0..<2 { engine.gate.signal() }
            expect("text 1", try await first)
            expect("text 3", try await newer)
        }
    }

    @Test("An interim held back by the limit runs when the one before it is through")
    func interimLimit() async throws {
        let engine = GatedEngine()
        try await withRecognizer(engine, threads: 2) { recognizer in
            async let first = recognizer.transcribe([1], priority: .interim)
            #expect(await engine.untilEntered() == 1)
            async let second = recognizer.transcribe([2], priority: .interim)
            await untilWaiting(recognizer, 1)
            async let final = recognizer.transcribe([3], priority: .final)
            #expect(await engine.untilEntered() == 3)
            for _ in 0..<3 { engine.gate.signal() }
            expect("text 1", try await first)
            expect("text 3", try await final)
            expect("text 2", try await second)
        }
    }

    @Test("The end lets the running call finish, refuses the waiting ones and all that come later")
    func stop() async throws {
        let engine = GatedEngine()
        let recognizer = recognizer(engine, threads: 1)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await recognizer.run() }
            async let served = recognizer.transcribe([1], priority: .final)
            #expect(await engine.untilEntered() == 1)
            async let waiting: Void = expectVoid(.unavailable) {
                try await recognizer.transcribe([2], priority: .final)
            }
            await untilWaiting(recognizer, 1)
            group.cancelAll()
            await waiting
            engine.gate.signal()
            expect("text 1", try await served)
            try await group.waitForAll()
        }
        await expect(.unavailable) { try await recognizer.transcribe([3], priority: .final) }
        await expect(.unavailable) {
            try await recognizer.run()
            return ""
        }
    }

    @Test("A model that cannot be loaded ends the run with the reason, and nobody waits for ever")
    func loadFailure() async throws {
        let recognizer = EmbeddedRecognizer(name: "broken", threads: 2, logger: Logger(label: "test")) {
            () throws(RecognitionError) in throw RecognitionError(.unavailable, "no model")
        }
        async let waiting: Void = expectVoid(.unavailable) {
            try await recognizer.transcribe([1], priority: .final)
        }
        let error = await expect(.unavailable) {
            try await recognizer.run()
            return ""
        }
        #expect(error?.message == "no model")
        await waiting
    }

    private func recognizer(_ engine: GatedEngine, threads: Int) -> EmbeddedRecognizer {
        // On a busy machine a thread may take longer to start than an interim is worth something.
        var bounds = RecognitionQueue.Bounds()
        bounds.interimWaitMax = .seconds(3_600)
        return EmbeddedRecognizer(name: "gated", threads: threads, bounds: bounds, logger: Logger(label: "test")) {
            () throws(RecognitionError) in engine.make()
        }
    }

    private func withRecognizer(
        _ engine: GatedEngine, threads: Int, _ body: (EmbeddedRecognizer) async throws -> Void
    ) async throws {
        let recognizer = recognizer(engine, threads: threads)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await recognizer.run() }
            try await body(recognizer)
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    // The exchange tells nobody who waits; the queue is looked at until the request is there.
    private func untilWaiting(_ recognizer: EmbeddedRecognizer, _ count: Int) async {
        while recognizer.waitingCount < count { await Task.yield() }
    }

    // A macro cannot tell the closure around it that it throws.
    private func expect(_ expected: String, _ text: String) {
        #expect(text == expected)
    }

    @discardableResult
    private func expect(
        _ code: RecognitionError.Code, _ body: () async throws -> String
    ) async -> RecognitionError? {
        let error = await #expect(throws: RecognitionError.self) { try await body() }
        #expect(error?.code == code)
        return error
    }

    private func expectVoid(_ code: RecognitionError.Code, _ body: () async throws -> String) async {
        await expect(code, body)
    }
}
