import Glibc

/// A thread that runs one closure, and can be waited for.
enum EngineThread {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Runs `body` on a thread of its own and returns when the thread is gone; false when there are no more threads.
    ///
    /// The thread must be gone, not only its work: libcurl's TLS library frees what it uses when the process exits.
    static func run(_ body: @escaping @Sendable () -> Void) async -> Bool {
        var thread = pthread_t()
        let isStarted = await withCheckedContinuation { continuation in
            let context = unsafe Unmanaged.passRetained(
                Body {
                    body()
                    continuation.resume(returning: true)
                })
            let status = unsafe pthread_create(&thread, nil, main, context.toOpaque())
            guard status == 0 else {
                unsafe context.release()
                continuation.resume(returning: false)
                return
            }
        }
        if isStarted { pthread_join(thread, nil) }
        return isStarted
    }

    private static let main: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { context in
        // A write to a closed connection is an error to handle, not the end of the process.
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, SIGPIPE)
        unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
        guard let context = unsafe context else { return nil }
        unsafe Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run()
        return nil
    }
}
