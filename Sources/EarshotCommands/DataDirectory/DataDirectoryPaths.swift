/// Where everything lies in a data directory; nothing here touches the disk.
struct DataDirectoryPaths: Equatable {
    /// The directory's absolute path.
    let root: String

    init(_ root: String) {
        self.root = root
    }

    /// Held by the `earshot up` that lives; contains its pid.
    var lock: String { root + "/lock" }
    /// The name of this data directory for what must lie elsewhere; a new directory on the same path has another.
    var identity: String { root + "/id" }
    /// What is running, on which ports (`FleetState`).
    var state: String { root + "/state.json" }
    /// The HS256 secret that signs tokens.
    var tokenSecret: String { root + "/secrets/hs256" }
    /// The secret from which users' keys for stored audio are derived; without it that audio cannot be read.
    var encryptionSecret: String { root + "/secrets/encryption" }
    /// The password of the private Redis.
    var redisPassword: String { root + "/secrets/redis" }
    /// The URL of a Postgres that was given to `earshot up` from outside.
    var externalPostgres: String { root + "/secrets/postgres-url" }
    /// Stored audio, unless a store was given from outside.
    var audio: String { root + "/audio" }
    var redis: String { root + "/redis" }
    /// Where the Postgres cluster lies unless its user cannot reach it.
    var postgres: String { root + "/pg" }
    var logs: String { root + "/logs" }

    /// The directories that must exist, with nobody else looking in.
    var directories: [String] { [root, root + "/secrets", redis, logs, audio] }
}
