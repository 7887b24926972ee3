internal import CSpeechEngine

/// The speaker model: what is particular to a voice, as a direction in 256 dimensions.
///
/// The WeSpeaker ResNet34 of pyannote's community-1 pipeline, whose bytes libmoonshine contains (docs/speech.md). One
/// model serves all threads: it is `Sendable` because ONNX Runtime allows a session to be run from many threads at once
/// and everything else here is constant. A call takes 29 ms of CPU for 1 s of audio, and blocks: never call it on the
/// cooperative pool.
@safe
package final class SpeakerEmbedder: Sendable {
    /// The numbers of an embedding.
    package static let dimensionCount = 256
    /// The name of the model; embeddings of different models cannot be compared.
    package static let modelName = "wespeaker-resnet34"
    /// The least audio a call takes: 0.5 s (omi.md section 6).
    package static let sampleCountMin = Transcriber.sampleRate / 2
    /// The most audio a call takes: 30 s, because a call cannot be interrupted.
    package static let sampleCountMax = 30 * Transcriber.sampleRate

    private let runtime: InferenceRuntime
    private nonisolated(unsafe) let session: OpaquePointer

    /// Loads the model that the library contains; takes 15 to 60 ms and 27 MB.
    ///
    /// - Throws: `SpeechEngineError` with `libraryFailure`.
    package init(_ library: SpeechEngineLibrary) throws(SpeechEngineError) {
        runtime = library.runtime
        unsafe session = try runtime.session(model: library.speakerModel)
    }

    deinit { unsafe runtime.table.pointee.ReleaseSession?(session) }

    /// Returns the embedding of somebody's speech, of length 1: the product of two is their cosine similarity.
    ///
    /// - Parameter samples: Mono audio at 16 kHz, 0.5 to 30 s of one voice. Values outside -1…1 are clamped.
    /// - Returns: 256 finite numbers.
    /// - Throws: `SpeechEngineError` with `invalidAudio` for another length or a value that is no number,
    ///   `libraryFailure` when the model fails.
    package func embedding(of samples: [Float]) throws(SpeechEngineError) -> [Float] {
        guard (Self.sampleCountMin...Self.sampleCountMax).contains(samples.count) else {
            throw SpeechEngineError(
                .invalidAudio,
                "\(samples.count) samples are no audio for a voice; \(Self.sampleCountMin) to \(Self.sampleCountMax) "
                    + "are allowed")
        }
        if let position = samples.firstIndex(where: { !$0.isFinite }) {
            throw SpeechEngineError(
                .invalidAudio, "sample \(position) is \(samples[position]); only numbers are allowed")
        }
        let embedding = try run(MelSpectrogram(samples.map { min(max($0, -1), 1) }))
        let length = embedding.reduce(0) { $0 + $1 * $1 }.squareRoot()
        guard length.isFinite, length > 0 else {
            throw SpeechEngineError(.libraryFailure, "the speaker model gave no direction for \(samples.count) samples")
        }
        return embedding.map { $0 / length }
    }

    /// Runs the model on all frames with equal weight.
    private func run(_ spectrogram: MelSpectrogram) throws(SpeechEngineError) -> ArraySlice<Float> {
        let bands = 0..<spectrogram.values.count
        let weights = bands.upperBound..<bands.upperBound + spectrogram.frameCount
        let result = weights.upperBound..<weights.upperBound + Self.dimensionCount
        var numbers = spectrogram.values
        numbers += repeatElement(1, count: weights.count)
        numbers += repeatElement(0, count: result.count)
        let frames = Int64(spectrogram.frameCount)
        let failure = unsafe numbers.withUnsafeMutableBufferPointer { numbers -> SpeechEngineError? in
            do throws(SpeechEngineError) {
                unsafe try runtime.run(
                    session, in: numbers,
                    inputs: [
                        ("fbank", bands, [1, frames, Int64(MelSpectrogram.bandCount)]),
                        ("weights", weights, [1, frames]),
                    ], outputs: [("embedding", result, [1, Int64(Self.dimensionCount)])], "run the speaker model")
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
        return numbers[result]
    }
}
