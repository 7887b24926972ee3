import Foundation
package import Logging
package import SpeechEngine
import Synchronization

/// Speech to text in this process, on threads of its own.
///
/// Each thread has a copy of the model, because one copy serves one call at a time; calls block and never run on the
/// cooperative pool. All threads serve one bounded queue: finals first, then voices, then interims, and of each who
/// waits longest; interims are dropped when they would come too late. `run()` owns the threads; requests wait until it
/// was called and are refused after it ended.
package final class EmbeddedRecognizer: SpeechRecognizer {
    // ONNX Runtime recurses through the model's graph; the secondary threads' default differs from system to system.
    private static let stackByteCount = 8 << 20

    /// The engine's name, as it stands in a segment's `stt_provider`.
    package let name: String
    /// How many utterances are recognised at once.
    package let threads: Int

    private let makeEngine: @Sendable () throws(RecognitionError) -> RecognitionEngine
    private let exchange: RecognitionExchange
    private let hasRun = Atomic(false)
    private let logger: Logger

    /// Creates a recogniser with the embedded English model; `run()` loads it.
    ///
    /// - Parameters:
    ///   - library: The speech engine.
    ///   - threads: How many utterances to recognise at once, at least 1; more than there are cores gains nothing. Each
    ///     takes about 65 MB.
    ///   - logger: Hears when the threads start and end.
    package convenience init(
        _ library: SpeechEngineLibrary, threads: Int = ProcessInfo.processInfo.activeProcessorCount, logger: Logger
    ) {
        self.init(name: Transcriber.modelName, threads: threads, logger: logger) { () throws(RecognitionError) in
            try RecognitionEngine.embedded(library)
        }
    }

    init(
        name: String, threads: Int, bounds: RecognitionQueue.Bounds = .init(), logger: Logger,
        makeEngine: @escaping @Sendable () throws(RecognitionError) -> RecognitionEngine
    ) {
        self.name = name
        self.threads = max(threads, 1)
        self.makeEngine = makeEngine
        self.logger = logger
        exchange = RecognitionExchange(threads: self.threads, bounds: bounds)
    }

    /// How many requests no thread has taken yet.
    package var waitingCount: Int { exchange.waitingCount }

    /// Loads the model once for each thread and serves requests until the task is cancelled.
    ///
    /// After the cancellation each thread ends with the call it is in, 1.6 s at most, whose caller still gets the text;
    /// everybody else gets `unavailable`. It can be run once.
    /// - Throws: `RecognitionError` with `unavailable` when a copy of the model cannot be loaded.
    package func run() async throws(RecognitionError) {
        guard !hasRun.exchange(true, ordering: .relaxed) else {
            throw RecognitionError(.unavailable, "a recogniser can be run once; make another one")
        }
        let failure = await withTaskCancellationHandler {
            await withTaskGroup(of: RecognitionError?.self) { group in
                for index in 0..<threads { group.addTask { await self.runThread(index) } }
                var first: RecognitionError?
                for await failure in group {
                    guard let failure, first == nil else { continue }
                    first = failure
                    exchange.close()
                }
                return first
            }
        } onCancel: {
            exchange.close()
        }
        logger.info("Speech recogniser stopped", metadata: ["stt.provider": "\(name)"])
        if let failure { throw failure }
    }

    /// Returns the text of one utterance; empty if nothing was understood.
    ///
    /// A cancelled caller returns at once; a call that has begun goes on unheard.
    package func transcribe(
        _ samples: [Float], priority: RecognitionPriority
    ) async throws(RecognitionError) -> String {
        guard samples.count <= Transcriber.sampleCountMax else {
            throw RecognitionError(
                .rejectedInput,
                "\(samples.count) samples are too much audio for one utterance; at most "
                    + "\(Transcriber.sampleCountMax) are allowed")
        }
        guard case .text(let text) = try await exchange.submit(samples, priority).get() else { return "" }
        return text
    }

    /// Has a thread do other work on samples, behind all finals.
    func perform(_ samples: [Float], _ work: @escaping RecognitionWork) async throws(RecognitionError)
        -> RecognitionAnswer
    {
        try await exchange.submit(samples, .voice, work).get()
    }

    // Returns when the thread has ended.
    private func runThread(_ index: Int) async -> RecognitionError? {
        await withCheckedContinuation { continuation in
            let thread = Thread { continuation.resume(returning: self.serve()) }
            thread.name = "stt-\(index)"
            thread.stackSize = Self.stackByteCount
            thread.start()
        }
    }

    private func serve() -> RecognitionError? {
        let clock = ContinuousClock()
        do throws(RecognitionError) {
            let start = clock.now
            let engine = try makeEngine()
            logger.info(
                "Speech model loaded", metadata: ["stt.provider": "\(name)", "stt.load": "\(clock.now - start)"])
            while let request = exchange.take() {
                let start = clock.now
                let answer = Result { () throws(RecognitionError) in
                    if let work = request.work { return try work(request.samples) }
                    return .text(try engine.transcribe(request.samples))
                }
                exchange.answer(request, answer, after: clock.now - start)
            }
            return nil
        } catch {
            return error
        }
    }
}
