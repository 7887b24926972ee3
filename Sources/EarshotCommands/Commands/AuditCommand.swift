import ArgumentParser
import EarshotModel
import SessionRecord

/// `earshot audit`: where every message is.
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Adds up where every message of a session is.",
        discussion: """
            A session is added up with all that it continues and that continue it. States: stored in a part that the \
            record names; not wanted, heard of a user whose audio is not stored; in flight, and where; dead-lettered; \
            lost, and why; unaccounted, which must be 0. Exit code 1 when something is unaccounted. docs/ledger.md \
            says more.
            With --json: one object on a line for each session, then one for the total, without session_id. --all \
            shows the sessions that have something in flight, dead, lost or unaccounted, then the total.
            """)

    @Argument(help: ArgumentHelp("The session.", valueName: "session-id"))
    var session: String?

    @Flag(help: "Adds up every session there is.")
    var all = false

    @Flag(help: "Prints JSON.")
    var json = false

    @OptionGroup var redis: RedisOption
    @OptionGroup var postgres: PostgresOption

    func validate() throws {
        guard (session == nil) == all else { throw ValidationError("name a session, or say --all") }
        if let session, SessionID(session) == nil {
            throw ValidationError(
                "\(session.debugDescription) is not a session id; `earshot sessions --all` lists them")
        }
    }

    func run() async throws {
        let record = PostgresSessionRecord(client: try postgres.client())
        var unaccounted: UInt64 = 0
        try await redis.withLedger(in: postgres.data.path) { ledger in
            let auditor = try await Auditor(redis: ledger, record: record)
            var total = LedgerReport([])
            if let session = session.flatMap({ SessionID($0) }) {
                let accounts = try await auditor.chain(of: session.description)
                for account in accounts { try show(LedgerReport([account], sessionID: account.session)) }
                total = LedgerReport(accounts)
            } else {
                try await auditor.all { accounts in
                    for account in accounts {
                        let report = LedgerReport([account], sessionID: account.session)
                        total.add(report)
                        if account.messages > account.stored + account.notWanted { try show(report) }
                    }
                }
            }
            try show(total)
            unaccounted = total.unaccounted
        }
        if unaccounted > 0 { throw CommandError("\(unaccounted) messages are unaccounted for") }
    }

    private func show(_ report: LedgerReport) throws {
        ConsoleOutput.line(json ? try ConsoleJSON.line(report) : report.text)
    }
}
