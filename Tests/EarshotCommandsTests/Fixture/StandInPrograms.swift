import Foundation

@testable import EarshotCommands

/// Tiny programs that behave towards a supervisor as the roles' processes do.
struct StandInPrograms: Sendable {
    let directory: String

    /// A process that says it is ready, and ends well at SIGTERM.
    static let obedient = """
        trap 'exit 0' TERM
        announce true
        while :; do sleep 0.1; done
        """
    /// A process that does not care for SIGTERM.
    static let stubborn = """
        trap '' TERM
        announce true
        while :; do sleep 0.1; done
        """
    /// A process that cannot start.
    static let broken = """
        echo "the model file is missing; run earshot setup" >&2
        exit 3
        """

    /// Writes a program for each role, obedient unless said otherwise; all announce the same admin server.
    init(in scratch: ScratchDirectory, bodies: [String: String] = [:], admin: String = "http://127.0.0.1:1") throws {
        directory = "\(scratch.path)/programs"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        for role in WorkerCounts.roles {
            let listen = role == "gateway" ? #",\"listen\":\"ws://127.0.0.1:$$\""# : ""
            let script = """
                #!/bin/sh
                announce() {
                    printf '{"role":"%s","node":"%s","pid":%s,"ready":%s,"admin":"%s"%s}\\n' \
                        '\(role)' "$EARSHOT_NODE" $$ "$1" "\(admin)" "\(listen)"
                }
                [ "$EARSHOT_ANNOUNCE" = true ] || exit 9
                \(bodies[role] ?? Self.obedient)
                """
            try scratch.write(script, to: "programs/earshot-\(role)", permissions: 0o755)
        }
    }
}
