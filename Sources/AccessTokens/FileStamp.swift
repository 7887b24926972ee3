import Glibc

/// What tells one version of a file from the next without reading it.
struct FileStamp: Equatable {
    private let device: UInt
    private let inode: UInt
    private let size: Int
    private let modifiedSeconds: Int
    private let modifiedNanoseconds: Int

    /// Looks at the file; nil when it is not there or may not be looked at.
    init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        device = UInt(status.st_dev)
        inode = UInt(status.st_ino)
        size = Int(status.st_size)
        modifiedSeconds = Int(status.st_mtim.tv_sec)
        modifiedNanoseconds = Int(status.st_mtim.tv_nsec)
    }

    var isTooLarge: Bool { size > KeySet.fileBytesMaximum }
}
