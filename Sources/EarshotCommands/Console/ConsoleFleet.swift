/// What `earshot up` says to a person when everything is ready.
enum ConsoleFleet {
    /// Addresses, and what to try next; a token is for a terminal only.
    static func summary(_ status: FleetStatus, dataDirectory: String, token: String?) -> String {
        var lines = ["Earshot is up."]
        if let listen = status.listen {
            lines.append("  devices    \(listen)/v4/listen")
            lines.append("  try        earshot stream FILE.wav --url \(listen) --data-dir '\(dataDirectory)'")
        }
        lines.append("  operators  \(status.admin)  (/readyz, /metrics, /pids)")
        lines.append("  data       \(dataDirectory)")
        lines.append("  record     earshot sessions --all --data-dir '\(dataDirectory)'")
        if let token {
            lines.append("  a token for the user demo, good for 24 hours:")
            lines.append("  \(token)")
        }
        lines.append("Ctrl-C stops it.")
        return lines.joined(separator: "\n")
    }
}
