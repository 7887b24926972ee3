internal import CSpeechEngine

/// The Silero model: how probable it is that a window of 32 ms holds speech.
///
/// One model serves all streams: what is particular to a stream is in its `SileroState`. It is `Sendable` because ONNX
/// Runtime allows a session to be run from many threads at once and everything else here is constant. A window costs
/// about 0.1 ms.
@safe
package final class SileroModel: Sendable {
    /// The samples of a window, at 16 kHz.
    package static let windowCount = 512

    // One array holds what a run reads and writes.
    private static let input = 0..<SileroState.contextCount + windowCount
    private static let before = input.upperBound..<input.upperBound + SileroState.recurrentCount
    private static let after = before.upperBound..<before.upperBound + SileroState.recurrentCount
    private static let result = after.upperBound
    private static let numberCount = result + 1

    private let runtime: InferenceRuntime
    private nonisolated(unsafe) let session: OpaquePointer
    // The sample rate as a tensor; an input all calls read.
    private nonisolated(unsafe) let rate: OpaquePointer
    private nonisolated(unsafe) let rateStorage: UnsafeMutablePointer<Int64>

    /// Loads the model that the library contains.
    ///
    /// - Throws: `SpeechEngineError` with `libraryFailure`.
    package init(_ library: SpeechEngineLibrary) throws(SpeechEngineError) {
        runtime = library.runtime
        unsafe session = try runtime.session(model: library.voiceActivityModel)
        let storage = UnsafeMutablePointer<Int64>.allocate(capacity: 1)
        unsafe storage.initialize(to: Int64(Transcriber.sampleRate))
        unsafe rateStorage = storage
        do {
            let bytes = unsafe UnsafeMutableRawBufferPointer(start: storage, count: MemoryLayout<Int64>.size)
            unsafe rate = try runtime.tensor(bytes, shape: [], element: ORT_ELEMENT_INT64)
        } catch {
            unsafe runtime.table.pointee.ReleaseSession?(session)
            unsafe storage.deallocate()
            throw error
        }
    }

    deinit {
        unsafe runtime.table.pointee.ReleaseValue?(rate)
        unsafe runtime.table.pointee.ReleaseSession?(session)
        unsafe rateStorage.deallocate()
    }

    /// Returns the probability of speech in the next window of a stream and moves the stream's state on.
    ///
    /// - Parameters:
    ///   - window: 512 samples, mono at 16 kHz, that follow the window before.
    ///   - state: What the stream remembers of the windows before.
    /// - Returns: The probability, 0…1.
    /// - Throws: `SpeechEngineError` with `invalidAudio` for another length or a value that is no number,
    ///   `libraryFailure` when the model fails; the state is unchanged then.
    package func probability(
        _ window: ArraySlice<Float>, state: inout SileroState
    ) throws(SpeechEngineError) -> Float {
        guard window.count == Self.windowCount else {
            throw SpeechEngineError(
                .invalidAudio, "a window of \(window.count) samples; \(Self.windowCount) are required")
        }
        // A single NaN would stay in the recurrent state for ever.
        guard window.allSatisfy(\.isFinite) else {
            throw SpeechEngineError(.invalidAudio, "a window with a value that is no number; only numbers are allowed")
        }
        var numbers = [Float](repeating: 0, count: Self.numberCount)
        numbers.replaceSubrange(Self.input, with: state.context + window)
        numbers.replaceSubrange(Self.before, with: state.recurrent)
        let failure = unsafe numbers.withUnsafeMutableBufferPointer { numbers -> SpeechEngineError? in
            do throws(SpeechEngineError) {
                unsafe try run(numbers)
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
        state.recurrent = Array(numbers[Self.after])
        state.context = Array(window.suffix(SileroState.contextCount))
        return numbers[Self.result]
    }

    private func run(_ numbers: UnsafeMutableBufferPointer<Float>) throws(SpeechEngineError) {
        let stateShape: [Int64] = [2, 1, 128]
        let places = [
            (Self.input, [1, Int64(Self.input.count)]), (Self.before, stateShape),
            (Self.result..<Self.result + 1, [1, 1]),
            (Self.after, stateShape),
        ]
        var tensors = unsafe [OpaquePointer?]()
        defer {
            unsafe tensors.forEach { tensor in unsafe runtime.table.pointee.ReleaseValue?(tensor) }
        }
        for (range, shape) in places {
            let bytes = unsafe UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: numbers[range]))
            unsafe tensors.append(try runtime.tensor(bytes, shape: shape, element: ORT_ELEMENT_FLOAT))
        }
        // The results' tensors are ours, so that the model writes into `numbers` and nothing needs copying out.
        let inputs = unsafe [tensors[0], tensors[1], rate]
        var outputs = unsafe [tensors[2], tensors[3]]
        let inputNames = unsafe InferenceRuntime.names(["input", "state", "sr"])
        let outputNames = unsafe InferenceRuntime.names(["output", "stateN"])
        unsafe try runtime.check(
            runtime.table.pointee.Run?(
                session, nil, inputNames, inputs, inputs.count, outputNames, outputs.count, &outputs),
            "run the voice activity model")
    }
}
