import CLibPQ

/// Owns one `PGconn`, in non-blocking mode.
///
/// libpq allows one thread at a time to use a connection ("no two threads attempt to manipulate the same PGconn object
/// at the same time"), so this is not `Sendable`; the actor that stores it is its only user. Each method is one step
/// and never waits; `ConnectionHandle+Exchange` puts them together.
@safe
struct ConnectionHandle: ~Copyable {
    /// What an attempt to connect needs next.
    enum Progress {
        case wantsRead
        case wantsWrite
        case connected
        case failed
    }

    private let raw: OpaquePointer
    private let notices: NoticeSink

    /// Begins to connect.
    ///
    /// Resolves the host's name, which may take the resolver's time.
    init(_ parameters: [ConnectionParameter], notices: NoticeSink) throws(PostgresError) {
        let keywords = CStringTable(parameters.map(\.keyword))
        let values = CStringTable(parameters.map(\.value))
        let started = unsafe keywords.withPointers { keywords in
            unsafe values.withPointers { values in
                unsafe PQconnectStartParams(keywords.baseAddress, values.baseAddress, 0)
            }
        }
        guard let started = unsafe started else {
            throw PostgresError(.connectionFailed, "out of memory")
        }
        unsafe raw = unsafe started
        self.notices = notices
        unsafe notices.attach(to: started)
        // For the SQLSTATE of a refused connection: see `SQLState.inVerboseMessage`.
        _ = unsafe PQsetErrorVerbosity(started, PQERRORS_VERBOSE)
    }

    deinit { unsafe PQfinish(raw) }

    var socket: Int32 { unsafe PQsocket(raw) }

    var isBroken: Bool { unsafe PQstatus(raw) == CONNECTION_BAD }

    /// Whether no transaction is open and no statement under way.
    var isIdle: Bool { unsafe PQtransactionStatus(raw) == PQTRANS_IDLE }

    /// Whether a transaction is open that can only be rolled back.
    var isInFailedTransaction: Bool { unsafe PQtransactionStatus(raw) == PQTRANS_INERROR }

    /// libpq's last complaint on one line.
    var lastMessage: String {
        guard let text = unsafe PQerrorMessage(raw) else { return "" }
        return Self.oneLine(unsafe String(cString: text))
    }

    /// libpq's last complaint as it is, for what is found only in its first line.
    var lastVerboseMessage: String {
        guard let text = unsafe PQerrorMessage(raw) else { return "" }
        return unsafe String(cString: text)
    }

    var serverVersion: Int { Int(unsafe PQserverVersion(raw)) }

    /// Takes the next step of connecting.
    func connectStep() -> Progress {
        switch unsafe PQconnectPoll(raw) {
        case PGRES_POLLING_READING: .wantsRead
        case PGRES_POLLING_WRITING: .wantsWrite
        case PGRES_POLLING_OK: .connected
        default: .failed
        }
    }

    /// Goes over from connecting to working.
    func finishConnecting() throws(PostgresError) -> CancelHandle {
        _ = unsafe PQsetErrorVerbosity(raw, PQERRORS_DEFAULT)
        guard unsafe PQsetnonblocking(raw, 1) == 0, let cancel = unsafe PQgetCancel(raw) else {
            throw PostgresError(.connectionFailed, "out of memory")
        }
        return unsafe CancelHandle(owning: cancel)
    }

    /// Queues one statement with its values.
    func send(_ sql: String, _ parameters: [SQLParameter]) -> Bool {
        let table = ParameterTable(parameters)
        let isSent = unsafe table.withPointers { values in
            unsafe PQsendQueryParams(
                raw, sql, Int32(parameters.count), table.types, values.baseAddress, table.lengths, table.formats, 0)
        }
        guard isSent == 1 else { return false }
        return unsafe PQsetSingleRowMode(raw) == 1
    }

    /// Queues a text of any number of statements.
    func send(script: String) -> Bool {
        guard unsafe PQsendQuery(raw, script) == 1 else { return false }
        return unsafe PQsetSingleRowMode(raw) == 1
    }

    /// Writes what is queued: returns whether something is left, nil when the connection broke.
    func flush() -> Bool? {
        switch unsafe PQflush(raw) {
        case 0: false
        case 1: true
        default: nil
        }
    }

    /// Reads what has arrived and returns whether the connection holds.
    func consumeInput() -> Bool { unsafe PQconsumeInput(raw) == 1 }

    /// Whether the next result has not arrived in full, so that asking for it would block.
    var isBusy: Bool { unsafe PQisBusy(raw) == 1 }

    /// Takes the next result, nil when the statement is over.
    func nextResult() -> ResultHandle? {
        guard let result = unsafe PQgetResult(raw) else { return nil }
        return unsafe ResultHandle(owning: result)
    }

    /// Folds libpq's indented lines into one.
    static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}
