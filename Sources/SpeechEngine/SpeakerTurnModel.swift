internal import CSpeechEngine

/// The turn model: which of up to three voices speak at each moment of 10 s.
///
/// The segmentation model of pyannote's community-1 pipeline, whose bytes libmoonshine contains (docs/speech.md). Voices
/// are numbered anew in each call: who they are is for `SpeakerEmbedder`. One model serves all threads, for the same
/// reasons as there. A call takes 56 ms of CPU, however short the audio, and blocks.
@safe
package final class SpeakerTurnModel: Sendable {
    /// The samples of a call, at 16 kHz: 10 s; shorter audio is filled up with silence.
    package static let sampleCountMax = 160_000
    /// How many voices it tells apart.
    package static let voiceCount = 3
    /// Samples from one judged moment to the next: 17 ms.
    package static let frameShift = 270

    // A frame is judged by 991 samples around its middle, and only whole ones are.
    private static let frameReach = 991
    private static let frameCount = 589

    private let runtime: InferenceRuntime
    private nonisolated(unsafe) let session: OpaquePointer

    /// Loads the model that the library contains.
    ///
    /// - Throws: `SpeechEngineError` with `libraryFailure`.
    package init(_ library: SpeechEngineLibrary) throws(SpeechEngineError) {
        runtime = library.runtime
        unsafe session = try runtime.session(model: library.turnModel)
    }

    deinit { unsafe runtime.table.pointee.ReleaseSession?(session) }

    /// Returns who speaks in each stretch of `frameShift` samples, from the first sample on.
    ///
    /// - Parameter samples: Mono audio at 16 kHz, at most 10 s. Values outside -1…1 are clamped.
    /// - Returns: For each stretch a set of voices: bit 0 to 2.
    /// - Throws: `SpeechEngineError` with `invalidAudio` for too much audio or a value that is no number,
    ///   `libraryFailure` when the model fails.
    package func activity(in samples: ArraySlice<Float>) throws(SpeechEngineError) -> [UInt8] {
        guard samples.count <= Self.sampleCountMax, samples.allSatisfy(\.isFinite) else {
            throw SpeechEngineError(
                .invalidAudio,
                "\(samples.count) samples: at most \(Self.sampleCountMax) are allowed, and only numbers")
        }
        var numbers = samples.map { min(max($0, -1), 1) }
        numbers += repeatElement(0, count: Self.sampleCountMax - samples.count)
        let result = numbers.count
        numbers += repeatElement(0, count: Self.frameCount * Self.voiceCount)
        let failure = unsafe numbers.withUnsafeMutableBufferPointer { numbers -> SpeechEngineError? in
            do throws(SpeechEngineError) {
                unsafe try runtime.run(
                    session, in: numbers,
                    inputs: [("waveforms", 0..<result, [1, 1, Int64(Self.sampleCountMax)])],
                    outputs: [
                        (
                            "segmentation", result..<numbers.count,
                            [1, Int64(Self.frameCount), Int64(Self.voiceCount)]
                        )
                    ], "run the turn model")
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
        let stretches = (samples.count + Self.frameShift - 1) / Self.frameShift
        return (0..<stretches).map { stretch in
            // The frame whose middle is nearest to the middle of the stretch.
            let middle = stretch * Self.frameShift + Self.frameShift / 2 - Self.frameReach / 2
            let frame = min(max((middle + Self.frameShift / 2) / Self.frameShift, 0), Self.frameCount - 1)
            return (0..<Self.voiceCount).reduce(0) { voices, voice in
                numbers[result + frame * Self.voiceCount + voice] > 0.5 ? voices | 1 << UInt8(voice) : voices
            }
        }
    }
}
