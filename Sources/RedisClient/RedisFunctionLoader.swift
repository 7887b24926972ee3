import Logging

/// Brings a function library to its version on the server behind one connection.
struct RedisFunctionLoader {
    let connection: RedisConnection
    let logger: Logger

    /// Each round either finds the right version or loads it; more rounds are needed only if other processes load at
    /// the same time, and each of those leaves the server closer to the end.
    private static let maximumRounds = 5

    /// Loads the library if it is missing or older, and reads the version back.
    ///
    /// - Throws: `.invalidConfiguration` if the server has a newer version, or a library of that name that was not
    ///   loaded by this type; `.server` if the server refuses the code; else as `RedisConnection.send`.
    func ensure(_ library: RedisFunctionLibrary) async throws(RedisError) {
        for _ in 0..<Self.maximumRounds {
            switch try await installedVersion(of: library) {
            case library.version?: return
            case nil: try await loadMissing(library)
            case let installed? where installed > library.version:
                throw RedisError(
                    .invalidConfiguration,
                    "the server has version \(installed) of the function library \(library.name), and this process "
                        + "brings \(library.version); an older version never replaces a newer one")
            case _?: try await load(library, "REPLACE")
            }
        }
        throw RedisError(
            .invalidConfiguration,
            "the function library \(library.name) was loaded as version \(library.version), but "
                + "\(library.versionFunction) does not return that number")
    }

    private func installedVersion(of library: RedisFunctionLibrary) async throws(RedisError) -> Int? {
        do throws(RedisError) {
            let reply = try await connection.ask(RedisCommand("FCALL", .init(library.versionFunction), "0"))
            guard let version = reply.int else {
                throw RedisError(
                    .invalidConfiguration, "\(library.versionFunction) answers with \(reply.kind), not with a number")
            }
            return version
        } catch  where error.code == .server && error.message.contains("Function not found") {
            return nil
        }
    }

    /// Loads without `REPLACE`, so that a newer version loaded by another process in this moment is not overwritten.
    private func loadMissing(_ library: RedisFunctionLibrary) async throws(RedisError) {
        do throws(RedisError) {
            try await load(library)
        } catch  where error.code == .server && error.message.contains("already exists") {
            guard try await installedVersion(of: library) == nil else { return }
            throw RedisError(
                .invalidConfiguration,
                "the server has a function library \(library.name) without the function \(library.versionFunction), "
                    + "or that function in another library; remove it with FUNCTION DELETE if nothing uses it",
                underlying: error)
        }
    }

    private func load(_ library: RedisFunctionLibrary, _ option: RedisArgument...) async throws(RedisError) {
        let arguments: [RedisArgument] = ["LOAD"] + option + [.init(library.source)]
        do throws(RedisError) {
            _ = try await connection.ask(RedisCommand("FUNCTION", arguments: arguments))
        } catch {
            var error = error
            error.context = "FUNCTION LOAD of \(library.name) version \(library.version)"
            throw error
        }
        logger.info(
            "Redis function library loaded",
            metadata: [RedisLogKey.library: "\(library.name)", RedisLogKey.version: "\(library.version)"])
    }
}
