import Glibc
import Synchronization

/// The speech engine's libraries, opened in this process.
///
/// There is one a process, and it stays open until the process ends. Transcribers and voice activity models are made
/// of it. `CallGate` keeps loading and freeing a transcriber apart from all calls; both wait for calls that run, so
/// load transcribers at the start and free them at the shutdown.
@safe
package final class SpeechEngineLibrary: Sendable {
    private static let loaded = Mutex<SpeechEngineLibrary?>(nil)

    /// The directory it was opened from.
    package let directory: String
    /// The versions of libmoonshine's interface and of ONNX Runtime, for the log.
    package let version: String

    let modelDirectory: String
    let moonshine: MoonshineFunctions
    let runtime: InferenceRuntime
    let gate = CallGate()
    /// The voice activity model's bytes: constant data inside the library.
    nonisolated(unsafe) let voiceActivityModel: UnsafeRawBufferPointer
    /// The speaker model's bytes, likewise.
    nonisolated(unsafe) let speakerModel: UnsafeRawBufferPointer
    /// The turn model's bytes, likewise.
    nonisolated(unsafe) let turnModel: UnsafeRawBufferPointer

    /// Opens the libraries, or returns them when they are open already.
    ///
    /// It sets an environment variable and must therefore be called before other threads read the environment: at the
    /// start of the process. Blocks for some milliseconds.
    /// - Throws: `SpeechEngineError` with `libraryFailure` when the libraries cannot be opened, or are open from
    ///   another directory.
    package static func load(_ files: SpeechEngineFiles) throws(SpeechEngineError) -> SpeechEngineLibrary {
        try loaded.withLock { (library) throws(SpeechEngineError) -> SpeechEngineLibrary in
            if let library {
                guard library.directory == files.directory else {
                    throw SpeechEngineError(
                        .libraryFailure,
                        "the speech engine is open from \(library.directory); a process cannot open a second one "
                            + "from \(files.directory)")
                }
                return library
            }
            let opened = try SpeechEngineLibrary(files)
            library = opened
            return opened
        }
    }

    private init(_ files: SpeechEngineFiles) throws(SpeechEngineError) {
        // Read while the library loads. Without it every transcriber starts and pins a pool of threads, which takes
        // twice the CPU for the same speed.
        unsafe setenv("MOONSHINE_ORT_SINGLE_THREAD", "1", 1)
        let object = try SharedObject(path: files.library)
        directory = files.directory
        modelDirectory = files.modelDirectory
        moonshine = try MoonshineFunctions(in: object)
        runtime = try InferenceRuntime(in: object)
        version = "libmoonshine \(moonshine.version()), ONNX Runtime \(runtime.version)"
        let voiceActivityCount = unsafe try object.address(of: "silero_vad_onnx_len").load(as: UInt32.self)
        unsafe voiceActivityModel = UnsafeRawBufferPointer(
            start: try object.address(of: "silero_vad_onnx"), count: Int(voiceActivityCount))
        // C++ names, stable for the pinned file.
        unsafe speakerModel = try Self.model(in: object, "18embedding_ort_dataE", "23embedding_ort_data_sizeE")
        unsafe turnModel = try Self.model(in: object, "21segmentation_ort_dataE", "26segmentation_ort_data_sizeE")
    }

    private static func model(
        in object: borrowing SharedObject, _ bytes: String, _ count: String
    ) throws(SpeechEngineError) -> UnsafeRawBufferPointer {
        let space = "_ZN9cppannote19embedded_community1"
        return unsafe UnsafeRawBufferPointer(
            start: try object.address(of: space + bytes),
            count: try object.address(of: space + count).load(as: Int.self))
    }
}
