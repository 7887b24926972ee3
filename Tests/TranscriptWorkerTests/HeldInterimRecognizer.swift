import Synchronization

@testable import SpeechRecognition

/// A recogniser whose first interim takes until it is released.
final class HeldInterimRecognizer: SpeechRecognizer {
    private enum State {
        case fresh
        case holding(CheckedContinuation<Void, Never>)
        case released
    }

    let name = "held"
    private let state = Mutex(State.fresh)

    var isHolding: Bool { state.withLock { if case .holding = $0 { true } else { false } } }

    func release() {
        let held: CheckedContinuation<Void, Never>? = state.withLock { state in
            defer { state = .released }
            if case .holding(let continuation) = state { return continuation }
            return nil
        }
        held?.resume()
    }

    func transcribe(_ samples: [Float], priority: RecognitionPriority) async throws(RecognitionError) -> String {
        guard priority.kind == .interim else { return "all of it" }
        await withCheckedContinuation { continuation in
            let isFirst = state.withLock { state in
                guard case .fresh = state else { return false }
                state = .holding(continuation)
                return true
            }
            if !isFirst { continuation.resume() }
        }
        return "so far"
    }
}
