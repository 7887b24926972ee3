package import Glibc
package import Logging
import Synchronization

/// A real PostgreSQL on a free port of 127.0.0.1, with a directory of its own that disappears with it.
package final class PostgresServer: Sendable {
    /// The superuser's password.
    package static let password = "s3cret/@:%&"
    /// The same, as it stands in a URL.
    package static let encodedPassword = "s3cret%2F%40%3A%25%26"

    /// The port it serves on.
    package let port: Int
    /// Where its cluster lies.
    package let directory: String
    private let watcher: Mutex<WatchedScript?>

    /// Makes a cluster and starts its server.
    package init() throws {
        var template = Array("/tmp/earshot-pg-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw FixtureError("no directory in /tmp: errno \(errno)") }
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        port = try Self.freePort()
        watcher = Mutex(nil)
        let child = try WatchedScript(
            script: Self.prologue + Self.initialise, arguments: [directory, Self.password], log: "\(directory).log")
        let status = child.wait()
        guard status == 0 else { throw FixtureError("initdb failed with \(status), see \(directory).log") }
        try start()
    }

    /// Where clients connect to.
    package func url(database: String = "postgres", user: String = "earshot", password: String = encodedPassword)
        -> String
    {
        "postgres://\(user):\(password)@127.0.0.1:\(port)/\(database)"
    }

    /// Starts the server and waits until it answers.
    package func start() throws {
        let child = try WatchedScript(
            script: Self.prologue + Self.serve, arguments: [directory, "\(port)"], log: "\(directory).log")
        watcher.withLock { $0 = child }
        let probe = try WatchedScript(
            script: Self.prologue + Self.awaitReadiness, arguments: [directory, "\(port)"], log: "\(directory).log")
        guard probe.wait() == 0 else { throw FixtureError("the server did not start, see \(directory)/log") }
    }

    /// Stops the server as an administrator would, ending its sessions; `removing` takes its directory away too.
    package func stop(removing: Bool = false) {
        let child = watcher.withLock { $0.take() }
        child?.order(removing ? "remove" : "stop")
        child?.wait()
    }

    /// The first line of the server's own pid file.
    package var postmaster: pid_t {
        get throws {
            guard let file = fopen("\(directory)/data/postmaster.pid", "r") else {
                throw FixtureError("the server has no pid file")
            }
            defer { fclose(file) }
            var line = [CChar](repeating: 0, count: 32)
            guard fgets(&line, 32, file) != nil else { throw FixtureError("the server's pid file is empty") }
            return atoi(line)
        }
    }

    /// Asks the kernel for a port that is free at the moment.
    package static func freePort() throws -> Int {
        let listener = try SilentListener()
        return listener.port
    }

    /// `$as` starts a server's program as a user it accepts, and has it killed if the script is.
    private static let prologue = """
        set -u
        umask 077
        directory=$1
        cd "$directory"
        bin=$(pg_config --bindir 2>/dev/null)
        [ -x "$bin/initdb" ] || bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
        as="setpriv --pdeathsig KILL"
        if [ "$(id -u)" = 0 ]; then
            as="setpriv --reuid=postgres --regid=postgres --clear-groups --pdeathsig KILL"
        fi

        """

    private static let initialise = """
        printf '%s\\n' "$2" > password
        if [ "$(id -u)" = 0 ]; then chown -R postgres:postgres "$directory"; fi
        $as -- "$bin/initdb" -D "$directory/data" -A scram-sha-256 -U earshot --pwfile=password \
            -E UTF8 --locale=C.UTF-8 --no-sync
        status=$?
        rm -f password
        # The tests may have been killed meanwhile.
        kill -0 "$PPID" 2>/dev/null || rm -rf "$directory" "$directory.log"
        exit "$status"
        """

    /// An outside process can only be asked again and again; a minute is plenty for an empty cluster.
    private static let awaitReadiness = """
        for attempt in $(seq 1200); do
            "$bin/pg_isready" -q -h 127.0.0.1 -p "$2" && exit 0
            sleep 0.05
        done
        exit 1
        """

    private static let serve = """
        $as -- "$bin/postgres" -D "$directory/data" -c listen_addresses=127.0.0.1 -c port="$2" \
            -c unix_socket_directories="$directory" -c fsync=off -c max_connections=800 -c shared_buffers=32MB \
            -c log_min_messages=fatal </dev/null >>log 2>&1 &
        server=$!
        if read -r order; then
            kill -INT "$server"
            wait "$server"
            [ "$order" = remove ] || exit 0
        else
            kill -CONT "$server"
            kill -QUIT "$server"
            wait "$server"
        fi
        cd /
        rm -rf "$directory" "$directory.log"
        """
}

extension Logger {
    /// Drops everything.
    package static let silent = Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() }
}
