import Foundation
import Glibc

/// An `earshot up`'s data directory, made and held: nobody else holds it as long as this value lives.
final class DataDirectory: Sendable {
    let paths: DataDirectoryPaths
    private let lock: Int32

    /// Makes the directory where it is missing, and takes it.
    ///
    /// - Throws: `CommandError` when another `earshot up` has it, naming that one's pid, or when it cannot be made.
    init(path: String) throws {
        paths = DataDirectoryPaths(path)
        for directory in paths.directories {
            try Self.make(directory)
        }
        lock = try Self.take(paths)
    }

    deinit {
        close(lock)
    }

    /// Makes a directory and those above it; a new one is readable by nobody else.
    static func make(_ path: String) throws {
        var isDirectory: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) {
            guard isDirectory.boolValue else { throw CommandError("\(path) is in the way: it is not a directory") }
            return
        }
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw CommandError("the directory \(path) cannot be made: \(error.localizedDescription)")
        }
    }

    /// `F_OFD_SETLK` of <bits/fcntl-linux.h>, which is no part of what Glibc's module shows.
    private static let setOpenFileLock: Int32 = 37

    /// Takes the lock, which the kernel gives back however the process ends.
    private static func take(_ paths: DataDirectoryPaths) throws -> Int32 {
        let descriptor = open(paths.lock, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw CommandError("\(paths.lock) cannot be opened: \(String(cString: strerror(errno)))")
        }
        // A lock of the open file, as flock(2)'s, whose name Swift keeps for the structure that this one takes.
        var wholeFile = flock()
        wholeFile.l_type = Int16(F_WRLCK)
        guard fcntl(descriptor, setOpenFileLock, &wholeFile) == 0 else {
            close(descriptor)
            let holder = (try? String(contentsOfFile: paths.lock, encoding: .utf8)) ?? ""
            let pid = Int32(holder.filter(\.isNumber)).map { "pid \($0)" } ?? "pid unknown"
            throw CommandError(
                "another `earshot up` (\(pid)) is running on \(paths.root); stop that one, or choose another --data-dir"
            )
        }
        let pid = Array("\(getpid())\n".utf8)
        guard ftruncate(descriptor, 0) == 0, write(descriptor, pid, pid.count) == pid.count else {
            close(descriptor)
            throw CommandError("\(paths.lock) cannot be written: \(String(cString: strerror(errno)))")
        }
        return descriptor
    }
}
