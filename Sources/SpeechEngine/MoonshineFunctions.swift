internal import CSpeechEngine

/// The functions of libmoonshine that are used.
///
/// It is `Sendable` because the addresses never change; when a function may be called is `CallGate`'s business.
@safe
struct MoonshineFunctions: @unchecked Sendable {
    let version: moonshine_get_version_fn
    let load: moonshine_load_fn
    let free: moonshine_free_fn
    let transcribe: moonshine_transcribe_fn
    private let errorText: moonshine_error_to_string_fn

    init(in object: borrowing SharedObject) throws(SpeechEngineError) {
        version = try object.function("moonshine_get_version", as: moonshine_get_version_fn.self)
        unsafe load = try object.function("moonshine_load_transcriber_from_files", as: moonshine_load_fn.self)
        free = try object.function("moonshine_free_transcriber", as: moonshine_free_fn.self)
        unsafe transcribe = try object.function(
            "moonshine_transcribe_without_streaming", as: moonshine_transcribe_fn.self)
        unsafe errorText = try object.function(
            "moonshine_error_to_string", as: moonshine_error_to_string_fn.self)
    }

    /// Returns the library's own words for one of its negative results.
    func reason(_ code: Int32) -> String {
        guard let text = unsafe errorText(code) else { return "error \(code)" }
        return unsafe "\(String(cString: text)) (\(code))"
    }
}
