import EarshotModel
import NIOHTTP1

/// A native connection that was let in, before its session begins.
struct AdmittedNative {
    let user: UserID
    /// What the query asked for, or why that is closed after the upgrade.
    let parameters: Result<NativeParameters, ListenRefusal>
}

extension AdmittedConnection {
    /// What the 101 says besides what every WebSocket's does.
    var responseHeaders: HTTPHeaders {
        switch self {
        case .native: HTTPHeaders([("Sec-WebSocket-Protocol", NativeParameters.subprotocol)])
        case .listen, .backend: HTTPHeaders()
        }
    }
}
