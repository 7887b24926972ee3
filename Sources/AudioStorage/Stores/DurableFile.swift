import Glibc

/// One object's file in a directory store.
///
/// Links are never followed in the last component, and keys hold no `..`, so nothing outside the root is touched.
struct DurableFile {
    private let root: String
    private let components: [String]
    private let key: ObjectKey

    init(root: String, key: ObjectKey) {
        self.root = root
        self.key = key
        components = key.components
    }

    private var directory: String { ([root] + components.dropLast()).joined(separator: "/") }
    private var path: String { "\(root)/\(key.text)" }

    /// Writes the object; without replacing, an object that is there is an error.
    func write(_ bytes: [UInt8], replaces: Bool) throws(ObjectStoreError) {
        try makeDirectories()
        let incoming = "\(root)/\(IncomingFiles.directoryName)"
        guard mkdir(incoming, 0o700) == 0 || errno == EEXIST else { throw failure("write") }
        let temporary = "\(incoming)/\(getpid())-\(UInt64.random(in: .min ... .max))"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw failure("write") }
        defer { unlink(temporary) }
        let isWritten = Self.write(bytes, to: descriptor) && fsync(descriptor) == 0
        let written = isWritten ? nil : failure("write")
        guard close(descriptor) == 0, written == nil else { throw written ?? failure("write") }
        if replaces {
            guard rename(temporary, path) == 0 else { throw failure("write") }
        } else {
            guard link(temporary, path) == 0 else {
                if errno == EEXIST { throw ObjectStoreError(.exists, "\(key) is there already") }
                throw failure("write")
            }
        }
        try sync(directory)
    }

    /// Reads the object.
    func read(bytesMaximum: Int) throws(ObjectStoreError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw failure("read") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("read") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw ObjectStoreError(.notFound, "\(key) is no object") }
        let count = Int(status.st_size)
        guard count <= bytesMaximum else {
            throw ObjectStoreError(.tooLarge, "\(key) has \(count) bytes; at most \(bytesMaximum) are read")
        }
        var bytes = [UInt8](repeating: 0, count: count)
        var received = 0
        while received < count {
            let taken = bytes.withUnsafeMutableBytes { buffer in
                Glibc.read(descriptor, buffer.baseAddress.map { $0 + received }, count - received)
            }
            if taken < 0, errno == EINTR { continue }
            guard taken > 0 else { throw failure("read") }
            received += taken
        }
        return bytes
    }

    /// The object's size; `nil` when there is none.
    func size() throws(ObjectStoreError) -> Int? {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            if errno == ENOENT || errno == ENOTDIR {
                try Self.expect(root)
                return nil
            }
            throw failure("look at")
        }
        return status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : nil
    }

    /// Removes the object, if there is one.
    func remove() throws(ObjectStoreError) {
        guard unlink(path) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return try Self.expect(root) }
            throw failure("remove")
        }
        try sync(directory)
    }

    /// Makes what is missing of the path, and forces each new name to disk.
    private func makeDirectories() throws(ObjectStoreError) {
        try Self.expect(root)
        var missing: [String] = []
        var current = directory
        while mkdir(current, 0o700) != 0, errno != EEXIST {
            guard errno == ENOENT, let slash = current.lastIndex(of: "/"), slash != current.startIndex else {
                throw failure("write")
            }
            missing.append(current)
            current = String(current[..<slash])
        }
        for path in missing.reversed() {
            guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw failure("write") }
        }
        // A directory made by another writer a moment ago may not be on disk yet: the names are forced either way,
        // but only where something was missing.
        guard !missing.isEmpty else { return }
        for path in [current] + missing.reversed() {
            guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { continue }
            try sync(String(path[..<slash]))
        }
    }

    private static func isThere(_ root: String) -> Bool {
        var status = stat()
        return stat(root, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Without its root a store is away, whatever it is asked for.
    static func expect(_ root: String) throws(ObjectStoreError) {
        guard isThere(root) else { throw ObjectStoreError(.unavailable, "the store's directory \(root) is gone") }
    }

    private func sync(_ directory: String) throws(ObjectStoreError) {
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("sync") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("sync") }
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var sent = 0
            while sent < buffer.count {
                let taken = Glibc.write(descriptor, buffer.baseAddress.map { $0 + sent }, buffer.count - sent)
                if taken < 0, errno == EINTR { continue }
                guard taken > 0 else { return false }
                sent += taken
            }
            return true
        }
    }

    private func failure(_ verb: String) -> ObjectStoreError {
        let number = errno
        let code: ObjectStoreError.Code =
            switch number {
            case ENOENT, ENOTDIR: Self.isThere(root) && verb == "read" ? .notFound : .unavailable
            case EACCES, EPERM, EROFS, ELOOP, EISDIR, ENAMETOOLONG: .refused
            default: .unavailable
            }
        return ObjectStoreError(code, "cannot \(verb) \(key): \(String(cString: strerror(number)))")
    }
}
