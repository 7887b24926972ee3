package import Logging

/// What every process of a fleet is told, whatever its role.
package struct ProcessConfiguration: Sendable {
    /// The name of the role, for instance `gateway`.
    package var role: String
    /// The name of this process among its role's; two live processes must not share one.
    package var node: String
    /// Where `/livez`, `/readyz` and `/metrics` are served.
    package var admin: SocketEndpoint
    /// Records below this level are not written.
    package var logLevel: Logger.Level
    /// How a record is written.
    package var logFormat: LogFormat

    /// Puts known values together; `init(role:settings:)` reads them.
    package init(
        role: String, node: String, admin: SocketEndpoint = SocketEndpoint(host: "127.0.0.1", port: 0),
        logLevel: Logger.Level = .info, logFormat: LogFormat = .text
    ) {
        self.role = role
        self.node = node
        self.admin = admin
        self.logLevel = logLevel
        self.logFormat = logFormat
    }

    /// Reads the settings.
    ///
    /// ## Configuration keys
    /// - `node.name` (text, optional, default ROLE-HOST-PID): letters, digits, `.`, `_`, `-`, at most 100.
    /// - `admin` (HOST:PORT, optional, default 127.0.0.1:0).
    /// - `log.level` (trace, debug, info, notice, warning, error, critical; optional, default info).
    /// - `log.format` (text, json; optional, default text).
    package init(role: String, settings: Settings) throws(SettingsError) {
        let node = settings.string("node.name", default: ProcessFacts.defaultNodeName(role: role))
        guard node.utf8.count <= 100,
            node.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) })
        else {
            throw settings.error(
                "node.name", problem: "\(node.debugDescription) is not a node name",
                allowed: "up to 100 letters, digits, dots, dashes and underscores")
        }
        self.init(
            role: role, node: node,
            admin: try settings.endpoint("admin", default: SocketEndpoint(host: "127.0.0.1", port: 0)),
            logLevel: try settings.choice("log.level", default: .info),
            logFormat: try settings.choice("log.format", default: .text))
    }
}
