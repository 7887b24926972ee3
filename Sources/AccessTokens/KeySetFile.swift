import FoundationEssentials
import Logging

/// A key set file that is read again when it changes, so that keys rotate without a restart.
///
/// A damaged or missing new version leaves the old keys in force and is logged once a version.
actor KeySetFile {
    private let path: String
    private let checkInterval: Duration
    private let logger: Logger
    private var keys: KeySet
    private var stamp: FileStamp?
    private var checkedAt: ContinuousClock.Instant

    /// Reads the file for the first time; without a readable first version a process must not start.
    init(path: String, checkInterval: Duration, logger: Logger) async throws(AccessTokenSetupError) {
        self.path = path
        self.checkInterval = checkInterval
        self.logger = logger
        checkedAt = .now
        stamp = FileStamp(path: path)
        keys = try await Self.read(path: path)
    }

    /// The keys in force now; looks at the file first when the last look is long enough ago.
    func current() async -> KeySet {
        guard checkedAt.duration(to: .now) >= checkInterval else { return keys }
        // Set before the first suspension: callers that come meanwhile get the old keys and do not read again.
        checkedAt = .now
        let seen = FileStamp(path: path)
        guard seen != stamp else { return keys }
        // Kept even when reading fails, so that one damaged version is reported once.
        stamp = seen
        do {
            keys = try await Self.read(path: path)
            logger.notice(
                "key set read again",
                metadata: ["file": "\(path)", "keys": "\(keys.count)", "ignored": "\(keys.ignored)"])
        } catch {
            logger.warning(
                "key set not readable, the old keys stay in force",
                metadata: ["file": "\(path)", "error": "\(error)"])
        }
        return keys
    }

    /// Reads in place: the file is small, local, and read once a version.
    private static func read(path: String) async throws(AccessTokenSetupError) -> KeySet {
        guard let stamp = FileStamp(path: path) else {
            throw AccessTokenSetupError("the key set file \(path) does not exist or may not be read")
        }
        guard !stamp.isTooLarge else {
            throw AccessTokenSetupError("the key set file \(path) is larger than \(KeySet.fileBytesMaximum) bytes")
        }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw AccessTokenSetupError("the key set file \(path) may not be read")
        }
        do {
            return try await KeySet(json: Array(data))
        } catch {
            throw AccessTokenSetupError("the key set file \(path) is no good: \(error)")
        }
    }
}
