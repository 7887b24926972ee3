#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#else
    private import Darwin
#endif

/// Reads and writes whole files of bounded size through POSIX, without Foundation.
enum AudioFileStorage {
    /// Returns the bytes of a regular file.
    ///
    /// Anything else is refused: a device or a pipe has no size to check beforehand and may never end.
    static func contents(path: String, bytesMax: Int) throws(AudioCodecError) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw failure("read", path) }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw failure("read", path) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw AudioCodecError(.inaccessibleFile, "cannot read \(path): only regular files are read")
        }
        let count = Int(status.st_size)
        guard count <= bytesMax else {
            throw AudioCodecError(.tooLarge, "\(path) has \(count) bytes; at most \(bytesMax) are allowed")
        }
        var received = 0
        var isFailed = false
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            while received < count {
                let rest = unsafe UnsafeMutableRawBufferPointer(
                    rebasing: UnsafeMutableRawBufferPointer(buffer)[received...])
                let taken = retrying { unsafe read(descriptor, rest.baseAddress, rest.count) }
                isFailed = taken < 0
                // A file that was shortened meanwhile ends early; what is missing shows when it is parsed.
                if taken <= 0 { break }
                received += taken
            }
            initialized = received
        }
        guard !isFailed else { throw failure("read", path) }
        return bytes
    }

    /// Writes a file under a name beside its own, then renames it: readers see all of it or what was there before.
    static func store(_ bytes: [UInt8], path: String) throws(AudioCodecError) {
        let temporary = "\(path).\(getpid()).\(UInt32.random(in: .min ... .max)).part"
        let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw failure("write", path) }
        let isWritten = unsafe bytes.withUnsafeBytes { buffer in
            var sent = 0
            while sent < buffer.count {
                let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[sent...])
                let taken = retrying { unsafe write(descriptor, rest.baseAddress, rest.count) }
                if taken <= 0 { return false }
                sent += taken
            }
            return true
        }
        let isClosed = close(descriptor) == 0
        guard isWritten, isClosed, unsafe rename(temporary, path) == 0 else {
            let error = failure("write", path)
            unsafe unlink(temporary)
            throw error
        }
    }

    /// Repeats a call that a signal interrupted.
    private static func retrying(_ call: () -> Int) -> Int {
        repeat {
            let result = call()
            if result >= 0 || errno != EINTR { return result }
        } while true
    }

    private static func failure(_ verb: String, _ path: String) -> AudioCodecError {
        let reason = unsafe String(cString: strerror(errno))
        return AudioCodecError(.inaccessibleFile, "cannot \(verb) \(path): \(reason)")
    }
}
