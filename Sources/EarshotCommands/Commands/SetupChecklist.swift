import SpeechEngine

/// Everything Earshot needs beside itself, looked at one by one.
struct SetupChecklist {
    /// One thing that is there, or is not.
    struct Finding: Equatable, CustomStringConvertible {
        let name: String
        /// Where it is.
        let place: String
        /// What is wrong, and what mends it; nil when nothing is.
        let problem: String?

        var description: String {
            problem.map { "missing  \(name): \($0)" } ?? "ok       \(name): \(place)"
        }
    }

    /// The directory of the speech engine's files; nil when there is none.
    let speech: String?
    let installed: InstalledFiles

    /// Looks at everything; hashes 108 MB.
    func findings() -> [Finding] {
        [
            finding("Redis") {
                guard let path = ProgramSearch.path(of: "redis-server") else {
                    throw CommandError("redis-server is not installed; on Debian: apt-get install redis-server")
                }
                return path
            },
            finding("Postgres") { try ProgramSearch.postgres(version: nil) },
            finding("user for Postgres") {
                guard SystemUser.isRoot else { return "not needed, this is not root" }
                guard let user = SystemUser(named: "postgres") else {
                    throw CommandError("there is no user postgres; on Debian: apt-get install postgresql")
                }
                return user.name
            },
            finding("migrations") { try installed.migrations(explicit: nil) },
            finding("speech engine") {
                guard let speech else { throw CommandError("its files are nowhere; run scripts/fetch-speech") }
                try SpeechEngineFiles(directory: speech).verify()
                return speech
            },
        ]
    }

    private func finding(_ name: String, look: () throws -> String) -> Finding {
        do {
            return Finding(name: name, place: try look(), problem: nil)
        } catch {
            return Finding(name: name, place: "", problem: "\(error)")
        }
    }
}
