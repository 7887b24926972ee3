internal import CSpeechEngine
import Glibc

/// One loaded copy of the recogniser: English speech to text, one call at a time.
///
/// A call takes 35 ms for 1 s of audio and 1.6 s for 30 s, and blocks: use it from a thread of its own, never from the
/// cooperative pool. It is not `Sendable`; load one for each thread. Each takes about 65 MB besides 43 MB that all
/// share. The text depends on the samples alone, not on earlier calls nor on other transcribers.
package final class Transcriber {
    /// The rate of the samples it takes, in Hz.
    package static let sampleRate = 16_000
    /// The most samples a call takes: 30 s.
    ///
    /// Beyond it the model invents text, and a call cannot be interrupted.
    package static let sampleCountMax = 30 * sampleRate
    /// The name of the model, as it stands in a segment's `stt_provider`.
    package static let modelName = "moonshine-tiny-en"

    // Voice activity is ours: the library's own is one recurrent state for all streams of the process.
    private static let options = [
        ("vad_threshold", "0"),
        ("return_audio_data", "false"),
        ("identify_speakers", "false"),
        ("word_timestamps", "false"),
    ]

    private let library: SpeechEngineLibrary
    private let handle: Int32

    /// Loads the model; blocks for 0.2 to 0.4 s and until calls of other transcribers are over.
    ///
    /// - Throws: `SpeechEngineError` with `libraryFailure`.
    package init(_ library: SpeechEngineLibrary) throws(SpeechEngineError) {
        let handle = library.gate.change { Self.load(library) }
        guard handle >= 0 else {
            throw SpeechEngineError(
                .libraryFailure,
                "the speech model in \(library.modelDirectory) could not be loaded: "
                    + "\(library.moonshine.reason(handle)); \(SpeechEngineFiles.remedy)")
        }
        self.library = library
        self.handle = handle
    }

    deinit {
        library.gate.change { library.moonshine.free(handle) }
    }

    /// Returns the text of one utterance; empty if nothing was understood.
    ///
    /// - Parameter samples: Mono audio at 16 kHz, at most 30 s. Values outside -1…1 are clamped. Give it speech: in
    ///   silence and noise it hears words.
    /// - Returns: The text, with case and punctuation.
    /// - Throws: `SpeechEngineError` with `invalidAudio` for too much audio or a value that is no number,
    ///   `libraryFailure` when the library fails.
    package func transcribe(_ samples: [Float]) throws(SpeechEngineError) -> String {
        guard samples.count <= Self.sampleCountMax else {
            throw SpeechEngineError(
                .invalidAudio,
                "\(samples.count) samples are too much audio for one call; at most \(Self.sampleCountMax) are allowed")
        }
        guard !samples.isEmpty else { return "" }
        if let position = samples.firstIndex(where: { !$0.isFinite }) {
            throw SpeechEngineError(
                .invalidAudio, "sample \(position) is \(samples[position]); only numbers are allowed")
        }
        var clamped = samples.map { min(max($0, -1), 1) }
        let outcome = library.gate.call { text(of: &clamped) }
        guard outcome.code == 0 else {
            throw SpeechEngineError(
                .libraryFailure,
                "the recogniser failed on \(samples.count) samples: \(library.moonshine.reason(outcome.code))")
        }
        return outcome.text
    }

    private static func load(_ library: SpeechEngineLibrary) -> Int32 {
        // C strings that live until the load is over; the library copies what it keeps.
        let strings = unsafe options.map { unsafe (strdup($0.0), strdup($0.1)) }
        defer {
            unsafe strings.forEach { name, value in
                unsafe free(name)
                unsafe free(value)
            }
        }
        let table = unsafe strings.map { unsafe moonshine_option(name: $0.0, value: $0.1) }
        return unsafe library.moonshine.load(
            library.modelDirectory, UInt32(MOONSHINE_ARCH_TINY), table, UInt64(table.count),
            Int32(MOONSHINE_HEADER_VERSION))
    }

    // The transcript is copied before the gate opens: it belongs to the library until this transcriber's next call.
    private func text(of samples: inout [Float]) -> (code: Int32, text: String) {
        var transcript: UnsafeMutablePointer<moonshine_transcript>?
        let code = unsafe library.moonshine.transcribe(
            handle, &samples, UInt64(samples.count), Int32(Self.sampleRate), 0, &transcript)
        guard code == 0, let transcript = unsafe transcript, let lines = unsafe transcript.pointee.lines else {
            return (code, "")
        }
        var words: [Substring] = []
        for index in 0..<Int(unsafe transcript.pointee.line_count) {
            guard let text = unsafe lines[index].text else { continue }
            words += unsafe String(cString: text).split(whereSeparator: \.isWhitespace)
        }
        return (code, words.joined(separator: " "))
    }
}
