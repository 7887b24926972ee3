import AudioStreams
import DequeModule
import EarshotModel
package import SpeechRecognition
import WorkerRuntime

/// Recognises open utterances beside the lanes, so that no lane waits for text that is only shown.
///
/// At most one request a session waits (a newer one replaces it) and at most `concurrency` are under way. `retire`
/// guarantees that nothing of an utterance is published once it returns.
package actor InterimPublisher {
    /// Text asked for.
    package struct Request: Sendable {
        let session: SessionID
        let gateway: Incarnation
        let ordinal: UInt64
        let samples: [Float]
        let caller: UInt64
        /// The segment with its id and times; its text comes from the recogniser.
        let segment: TranscriptSegment?
        let context: LaneContext
    }

    private let recognizer: any SpeechRecognizer
    /// The engine of all interims, as it stands in a segment's `stt_provider`.
    nonisolated var provider: String { recognizer.name }
    private let concurrency: Int
    /// Waiting requests beyond this are dropped: under load finals need the engine.
    private let waitingMaximum = 256
    private var waiting: [SessionID: Request] = [:]
    private var order: Deque<SessionID> = []
    private var publishing: Set<SessionID> = []
    private var retirements: [SessionID: [CheckedContinuation<Void, Never>]] = [:]
    /// The request whose result may be published, so that one that comes later is dropped; no number comes twice.
    private var generations: [SessionID: UInt64] = [:]
    private var lastGeneration: UInt64 = 0
    private let (wakes, wakeContinuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    /// A publisher that works while it runs.
    package init(recognizer: any SpeechRecognizer, concurrency: Int) {
        self.recognizer = recognizer
        self.concurrency = concurrency
    }

    /// Works until the task is cancelled.
    package func run() async {
        await withDiscardingTaskGroup { tasks in
            for _ in 0..<concurrency { tasks.addTask { await self.work() } }
        }
    }

    /// Asks for the text of an open utterance.
    func offer(_ request: Request) {
        if waiting[request.session] == nil {
            guard order.count < waitingMaximum else { return }
            order.append(request.session)
        }
        waiting[request.session] = request
        generations[request.session] = generations[request.session] ?? 0
        wakeContinuation.yield()
    }

    /// The utterance is over: its requests are dropped, and a publication under way is waited for.
    func retire(_ session: SessionID) async {
        waiting[session] = nil
        order.removeAll { $0 == session }
        generations[session] = nil
        guard publishing.contains(session) else { return }
        await withCheckedContinuation { retirements[session, default: []].append($0) }
    }

    private func work() async {
        while !Task.isCancelled {
            guard let session = order.popFirst(), let request = waiting.removeValue(forKey: session) else {
                for await _ in wakes { break }
                continue
            }
            // Another may wait for the other workers.
            if !order.isEmpty { wakeContinuation.yield() }
            await publish(request)
        }
    }

    private func publish(_ request: Request) async {
        lastGeneration += 1
        let generation = lastGeneration
        generations[request.session] = generation
        let text: String
        do throws(RecognitionError) {
            text = try await recognizer.transcribe(request.samples, priority: .interim(of: request.caller))
        } catch {
            // Interims may be dropped for any reason; the final says what was said.
            return
        }
        guard generations[request.session] == generation, var segment = request.segment else { return }
        segment.text = text.trimmingWhitespace()
        guard !segment.text.isEmpty else { return }
        publishing.insert(request.session)
        await request.context.publish(
            LiveResult(
                kind: .interim, session: request.session, ordinal: request.ordinal, count: 1,
                text: TranscriptSegment.json([segment])),
            to: request.gateway)
        publishing.remove(request.session)
        for retirement in retirements.removeValue(forKey: request.session) ?? [] { retirement.resume() }
    }
}
