internal import CSpeechEngine

/// ONNX Runtime: its table of functions and the process's one environment.
///
/// It is `Sendable` because the table is constant and ONNX Runtime allows its environment and sessions to be used from
/// many threads at once. It lives as long as the process.
@safe
final class InferenceRuntime: Sendable {
    // Constant for the life of the process.
    nonisolated(unsafe) let table: UnsafePointer<ort_table>
    private nonisolated(unsafe) let environment: OpaquePointer
    /// The description of ordinary memory that every tensor here needs.
    nonisolated(unsafe) let memory: OpaquePointer
    /// The library's version, as in "1.23.2".
    let version: String

    init(in object: borrowing SharedObject) throws(SpeechEngineError) {
        let base = unsafe try object.function("OrtGetApiBase", as: ort_get_base_fn.self)()
        guard let base = unsafe base, let table = unsafe base.pointee.GetApi?(UInt32(ORT_TABLE_VERSION)) else {
            throw SpeechEngineError(
                .libraryFailure,
                "this ONNX Runtime has no interface of version \(ORT_TABLE_VERSION); \(SpeechEngineFiles.remedy)")
        }
        if let text = unsafe base.pointee.GetVersionString?() {
            version = unsafe String(cString: text)
        } else {
            version = "unknown"
        }
        unsafe self.table = table
        var environment: OpaquePointer?
        unsafe try Self.check(
            table, table.pointee.CreateEnv?(Int32(ORT_LOG_WARNING), "earshot", &environment), "make an environment")
        var memory: OpaquePointer?
        unsafe try Self.check(
            table,
            table.pointee.CreateCpuMemoryInfo?(Int32(ORT_DEVICE_ALLOCATOR), Int32(ORT_MEMORY_DEFAULT), &memory),
            "describe its memory")
        guard let environment = unsafe environment, let memory = unsafe memory else {
            throw SpeechEngineError(.libraryFailure, "ONNX Runtime gave no environment and no reason")
        }
        unsafe self.environment = environment
        unsafe self.memory = memory
    }

    /// Makes a session of a model in ORT format that runs on the calling thread alone.
    ///
    /// The bytes are used in place and must outlive the session.
    func session(model: UnsafeRawBufferPointer) throws(SpeechEngineError) -> OpaquePointer {
        var options: OpaquePointer?
        unsafe try check(table.pointee.CreateSessionOptions?(&options), "make session options")
        defer { unsafe table.pointee.ReleaseSessionOptions?(options) }
        unsafe try check(table.pointee.SetIntraOpNumThreads?(options, 1), "set its threads")
        unsafe try check(table.pointee.SetInterOpNumThreads?(options, 1), "set its threads")
        for key in ["session.load_model_format", "session.use_ort_model_bytes_directly"] {
            let value = key.hasSuffix("format") ? "ORT" : "1"
            unsafe try check(table.pointee.AddSessionConfigEntry?(options, key, value), "set \(key)")
        }
        var session: OpaquePointer?
        unsafe try check(
            table.pointee.CreateSessionFromArray?(environment, model.baseAddress, model.count, options, &session),
            "load a model")
        guard let session = unsafe session else {
            throw SpeechEngineError(.libraryFailure, "ONNX Runtime gave no session and no reason")
        }
        return unsafe session
    }

    /// Makes a tensor over memory that must outlive it.
    func tensor(
        _ bytes: UnsafeMutableRawBufferPointer, shape: [Int64], element: Int
    ) throws(SpeechEngineError) -> OpaquePointer {
        var value: OpaquePointer?
        unsafe try check(
            table.pointee.CreateTensorWithDataAsOrtValue?(
                memory, bytes.baseAddress, bytes.count, shape, shape.count, Int32(element), &value),
            "make a tensor")
        guard let value = unsafe value else {
            throw SpeechEngineError(.libraryFailure, "ONNX Runtime gave no tensor and no reason")
        }
        return unsafe value
    }

    /// A model's input or output: its name, its place in an array of floats, and its shape.
    typealias Port = (name: StaticString, place: Range<Int>, shape: [Int64])

    /// Runs a model whose inputs and outputs are all floats, in one array that the caller holds.
    ///
    /// The results' tensors are over the array, too, so that the model writes into it and nothing needs copying out.
    func run(
        _ session: OpaquePointer, in numbers: UnsafeMutableBufferPointer<Float>, inputs: [Port], outputs: [Port],
        _ action: String
    ) throws(SpeechEngineError) {
        var tensors = unsafe [OpaquePointer?]()
        defer { unsafe tensors.forEach { tensor in unsafe table.pointee.ReleaseValue?(tensor) } }
        for port in inputs + outputs {
            let place = unsafe UnsafeMutableRawBufferPointer(
                UnsafeMutableBufferPointer(rebasing: numbers[port.place]))
            unsafe tensors.append(try tensor(place, shape: port.shape, element: ORT_ELEMENT_FLOAT))
        }
        let given = unsafe Array(tensors.prefix(inputs.count))
        var results = unsafe Array(tensors.suffix(outputs.count))
        unsafe try check(
            table.pointee.Run?(
                session, nil, Self.names(inputs.map(\.name)), given, given.count, Self.names(outputs.map(\.name)),
                results.count, &results), action)
    }

    /// Names of a model's inputs or outputs; literals live as long as the process.
    static func names(_ literals: [StaticString]) -> [UnsafePointer<CChar>?] {
        unsafe literals.map { unsafe UnsafeRawPointer($0.utf8Start).assumingMemoryBound(to: CChar.self) }
    }

    /// Throws the reason of a status that is not success, releasing it.
    func check(_ status: OpaquePointer??, _ action: String) throws(SpeechEngineError) {
        unsafe try Self.check(table, status, action)
    }

    // The outer optional is the table's entry: it is never empty in a table of the version asked for.
    private static func check(
        _ table: UnsafePointer<ort_table>, _ status: OpaquePointer??, _ action: String
    ) throws(SpeechEngineError) {
        guard let returned = unsafe status else {
            throw SpeechEngineError(.libraryFailure, "ONNX Runtime cannot \(action): the function is missing")
        }
        guard let failure = unsafe returned else { return }
        defer { unsafe table.pointee.ReleaseStatus?(failure) }
        let text = unsafe table.pointee.GetErrorMessage?(failure)
        let reason = if let text = unsafe text { unsafe String(cString: text) } else { "no reason given" }
        throw SpeechEngineError(.libraryFailure, "ONNX Runtime could not \(action): \(reason)")
    }
}
