import Glibc

/// A pipe whose ends are closed with it.
final class Pipe {
    let reading: Int32
    let writing: Int32

    private struct Failed: Error {}

    init() throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw Failed() }
        (reading, writing) = (ends[0], ends[1])
    }

    deinit {
        close(reading)
        close(writing)
    }

    /// What can be read without waiting.
    func available() -> String {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var request = pollfd(fd: reading, events: Int16(POLLIN), revents: 0)
        while poll(&request, 1, 0) == 1 {
            let count = read(reading, &buffer, buffer.count)
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
