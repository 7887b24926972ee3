import EarshotClient
import EarshotModel

/// What `earshot stream` was asked to do, checked.
struct StreamPlan: Sendable {
    /// One device.
    struct Device: Sendable, Equatable {
        var uid: String
        var delay: Duration
    }

    /// Each device costs a socket; the system's limit of open files is near.
    static let sessionsMaximum = 10_000
    static let lingerSeconds = 0.0...3_600.0
    /// Where `earshot up` listens unless it is told otherwise.
    static let defaultURL = "ws://127.0.0.1:8080"
    /// The endpoint of browsers, which authenticate by their first message.
    private static let webPath = "/v4/web/listen"

    var file: String
    /// The rate of a headerless file; nil reads a WAV.
    var rawRate: Int?
    /// The gateway's address, or a whole endpoint.
    var url: String
    var uid: String
    var codec: DeviceCodec
    var sampleRate: Int
    var speed: Double
    var sessions: Int
    var staggerSeconds: Double
    var isSameUser: Bool
    var language: String
    var lingerSeconds: Double
    var lingerMaximumSeconds: Double
    /// Whether it is sent to the native endpoint, by the client that resumes.
    var isNative = false

    /// The devices, with their starts spread evenly.
    var devices: [Device] {
        (0..<sessions).map { index in
            Device(
                uid: sessions == 1 || isSameUser ? uid : "\(uid)-\(index + 1)",
                delay: .seconds(staggerSeconds * Double(index) / Double(sessions)))
        }
    }

    /// Where the fleet of a data directory listens, or listened last.
    ///
    /// - Throws: `CommandError` when the directory's state cannot be read.
    static func url(dataDirectory: String) throws -> String {
        try FleetState.read(DataDirectoryPaths(dataDirectory).state)?.listen ?? defaultURL
    }

    /// Whether the endpoint takes the token in the first message.
    var authenticatesByMessage: Bool {
        let path = url.drop { $0 != "/" }.dropFirst(2).drop { $0 != "/" }
        return path.prefix { $0 != "?" } == Self.webPath
    }

    /// The endpoint with its query, for messages of a codec; a path that is given is kept.
    func endpoint(for codec: DeviceCodec) -> String {
        var endpoint = url
        let authority = endpoint.drop { $0 != "/" }.dropFirst(2)
        if let slash = authority.firstIndex(of: "/") {
            if authority[slash...] == "/" { endpoint += defaultPath.dropFirst() }
        } else if !authority.contains("?") {
            endpoint += defaultPath
        }
        endpoint += endpoint.contains("?") ? "&" : "?"
        return endpoint + "language=\(language)&sample_rate=\(sampleRate)&codec=\(codec.rawValue)&channels=1"
    }

    private var defaultPath: String { isNative ? "/v1/stream" : "/v4/listen" }
}
