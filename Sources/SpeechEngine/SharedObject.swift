import Glibc

/// A shared object opened for the life of the process.
@safe
struct SharedObject: ~Copyable {
    private let handle: UnsafeMutableRawPointer

    /// Opens the object with its dependencies, keeping its symbols to itself.
    init(path: String) throws(SpeechEngineError) {
        guard let handle = unsafe dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
            throw SpeechEngineError(
                .libraryFailure,
                "\(path) cannot be opened: \(Self.reason); it needs glibc 2.33 and libstdc++ of GCC 11 or newer")
        }
        unsafe self.handle = handle
    }

    /// Returns the address of a symbol of the object or of its dependencies.
    func address(of symbol: String) throws(SpeechEngineError) -> UnsafeMutableRawPointer {
        guard let address = unsafe dlsym(handle, symbol) else {
            throw SpeechEngineError(
                .libraryFailure, "the speech library has no \(symbol): \(Self.reason); \(SpeechEngineFiles.remedy)")
        }
        return unsafe address
    }

    /// Returns a function of the object; `type` must be its C type.
    func function<Function>(_ symbol: String, as type: Function.Type) throws(SpeechEngineError) -> Function {
        unsafe unsafeBitCast(try address(of: symbol), to: type)
    }

    private static var reason: String {
        guard let text = unsafe dlerror() else { return "no reason given" }
        return unsafe String(cString: text)
    }
}
