import Foundation
import Synchronization

/// Tells a supervisor on standard output, one JSON line each time, when this process becomes ready or unready.
///
/// `{"role":"gateway","node":"gateway-0","pid":123,"ready":true,"admin":"http://127.0.0.1:41234","listen":"ws://…"}`
package final class ReadyAnnouncer: Sendable {
    private struct State {
        var adminPort: Int?
        var listen: String?
        var isReady = false
        var announced: Bool?
    }

    private struct Line: Encodable {
        let role: String
        let node: String
        let pid: Int32
        let ready: Bool
        let admin: String
        let listen: String?
    }

    private let configuration: ProcessConfiguration
    private let isEnabled: Bool
    private let state = Mutex(State())

    /// An announcer that is silent unless the setting `announce` is on.
    ///
    /// ## Configuration keys
    /// - `announce` (true or false, optional, default false).
    package init(_ configuration: ProcessConfiguration, settings: Settings) throws(SettingsError) {
        self.configuration = configuration
        isEnabled = try settings.bool("announce", default: false)
    }

    /// The admin server has its port.
    package func adminBound(port: Int) { update { $0.adminPort = port } }

    /// The process takes devices at a URL.
    package func listening(at url: String) { update { $0.listen = url } }

    /// The process may get work, or may not.
    package func setReady(_ isReady: Bool) { update { $0.isReady = isReady } }

    private func update(_ change: (inout State) -> Void) {
        let line = state.withLock { state -> Line? in
            change(&state)
            guard isEnabled, let port = state.adminPort, state.announced != state.isReady,
                state.isReady || state.announced != nil
            else { return nil }
            state.announced = state.isReady
            return Line(
                role: configuration.role, node: configuration.node, pid: ProcessInfo.processInfo.processIdentifier,
                ready: state.isReady, admin: "http://\(SocketEndpoint(host: configuration.admin.host, port: port))",
                listen: state.listen)
        }
        guard let line else { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard var data = try? encoder.encode(line) else { return }
        data.append(UInt8(ascii: "\n"))
        // A supervisor that is gone reads nothing; that is no reason to fail.
        try? FileHandle.standardOutput.write(contentsOf: data)
    }
}
