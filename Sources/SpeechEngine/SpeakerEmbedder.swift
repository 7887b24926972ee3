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
        let spectrogram = MelSpectrogram(samples.map { min(max($0, -1), 1) })
        var embedding = [Float](repeating: 0, count: Self.dimensionCount)
        let failure = run(spectrogram, into: &embedding)
        if let failure { throw failure }
        let length = embedding.reduce(0) { $0 + $1 * $1 }.squareRoot()
        guard length.isFinite, length > 0 else {
            throw SpeechEngineError(.libraryFailure, "the speaker model gave no direction for \(samples.count) samples")
        }
        return embedding.map { $0 / length }
    }

    /// Runs the model on all frames with equal weight; its result's tensor is ours, so nothing needs copying out.
    private func run(_ spectrogram: MelSpectrogram, into embedding: inout [Float]) -> SpeechEngineError? {
        var bands = spectrogram.values
        var weights = [Float](repeating: 1, count: spectrogram.frameCount)
        let frames = Int64(spectrogram.frameCount)
        return unsafe bands.withUnsafeMutableBytes { bands in
            unsafe weights.withUnsafeMutableBytes { weights in
                unsafe embedding.withUnsafeMutableBytes { embedding -> SpeechEngineError? in
                    do throws(SpeechEngineError) {
                        unsafe try run([
                            (bands, [1, frames, Int64(MelSpectrogram.bandCount)]), (weights, [1, frames]),
                            (embedding, [1, Int64(Self.dimensionCount)]),
                        ])
                        return nil
                    } catch {
                        return error
                    }
                }
            }
        }
    }

    private func run(
        _ places: [(bytes: UnsafeMutableRawBufferPointer, shape: [Int64])]
    ) throws(SpeechEngineError) {
        var tensors = unsafe [OpaquePointer?]()
        defer {
            unsafe tensors.forEach { tensor in unsafe runtime.table.pointee.ReleaseValue?(tensor) }
        }
        for unsafe (bytes, shape) in unsafe places {
            unsafe tensors.append(try runtime.tensor(bytes, shape: shape, element: ORT_ELEMENT_FLOAT))
        }
        let inputs = unsafe [tensors[0], tensors[1]]
        var outputs = unsafe [tensors[2]]
        let inputNames = unsafe InferenceRuntime.names(["fbank", "weights"])
        let outputNames = unsafe InferenceRuntime.names(["embedding"])
        unsafe try runtime.check(
            runtime.table.pointee.Run?(
                session, nil, inputNames, inputs, inputs.count, outputNames, outputs.count, &outputs),
            "run the speaker model")
    }
}
