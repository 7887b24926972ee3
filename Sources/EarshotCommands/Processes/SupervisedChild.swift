import Glibc
import Logging
import Subprocess
import Synchronization

/// Keeps one process alive: starts it, starts it again when it ends, and stops it in good order.
final class SupervisedChild: Sendable {
    /// What is known of the process.
    struct Status: Sendable, Equatable {
        /// nil while it is not running.
        var process: ProcessIdentity?
        /// Whether the running process has said that it is ready; one that announces nothing is when it runs.
        var isReady = false
        /// Base URL of its admin server.
        var admin: String?
        /// URL of the endpoint it serves to devices.
        var listen: String?
        /// How often it was started.
        var starts = 0
        /// How often it ended before it was ever ready.
        var failedStarts = 0
        /// How it ended last.
        var lastEnding: ChildProcess.Ending?
    }

    /// What is left to a process that was killed: the kernel needs a moment to take it away.
    private static let killBudget: Duration = .seconds(10)

    let role: String
    let node: String
    private let specification: @Sendable (Status) -> ChildSpecification
    private let logger: Logger
    private let onChange: @Sendable () -> Void
    private struct State {
        var status = Status()
        var wasEverReady = false
        var isSignalled = false
    }
    private let state = Mutex(State())
    private let startRequested = Gate()
    private let stopRequested = Gate()
    private let ended = Gate()

    /// Prepares a child that is started when `start()` is called and `run()` runs.
    ///
    /// - Parameters:
    ///   - role: The kind of process.
    ///   - node: Its name among its kind.
    ///   - logger: Gets a line for every end.
    ///   - onChange: Called after every change of `status`, by whatever thread saw it.
    ///   - specification: Makes what to run, before every start, from what is known of the runs before.
    init(
        role: String, node: String, logger: Logger, onChange: @escaping @Sendable () -> Void,
        specification: @escaping @Sendable (Status) -> ChildSpecification
    ) {
        self.role = role
        self.node = node
        self.specification = specification
        self.logger = logger
        self.onChange = onChange
    }

    /// What is known of the process now.
    var status: Status { state.withLock(\.status) }

    /// Lets `run()` begin.
    func start() { startRequested.open() }

    /// Keeps the process alive until `stop` or cancellation.
    func run() async {
        defer { ended.open() }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.startRequested.wait() }
            group.addTask { await self.stopRequested.wait() }
            await group.next()
            group.cancelAll()
        }
        var backoff = RestartBackoff()
        while !stopRequested.isOpen, !Task.isCancelled {
            let started = ContinuousClock.now
            let ending = await runOnce()
            guard !stopRequested.isOpen else {
                logger.info("child stopped", metadata: metadata(ending))
                return
            }
            let pause = backoff.pause(afterLifetime: started.duration(to: .now))
            var metadata = metadata(ending)
            metadata["child.restart_in"] = "\(pause)"
            logger.error("child ended", metadata: metadata)
            await stopRequested.wait(atMost: pause)
        }
    }

    /// Asks the process to end, kills it if it does not, and waits until it is gone.
    ///
    /// - Parameters:
    ///   - budget: What it has for an orderly end.
    ///   - hurry: Opened when somebody has no patience left.
    func stop(within budget: Duration, hurry: Gate? = nil) async {
        stopRequested.open()
        signalOnce()
        if await ended.wait(atMost: budget, orUntil: hurry) { return }
        logger.warning(
            "child does not end, killing it", metadata: ["child.role": "\(role)", "child.node": "\(node)"])
        status.process?.send(SIGKILL, toGroup: true)
        await ended.wait(atMost: Self.killBudget)
    }

    private func runOnce() async -> ChildProcess.Ending {
        let specification = specification(status)
        let announces = specification.output == .announcements
        let ending = await ChildProcess.run(
            specification,
            onStart: { pid in
                update { state in
                    state.isSignalled = false
                    state.status.starts += 1
                    state.status.process = ProcessIdentity(pid: pid)
                    state.status.isReady = !announces
                    if !announces { state.wasEverReady = true }
                }
                // Asked to stop while it was being started: nobody else has seen this process.
                if stopRequested.isOpen { signalOnce() }
            },
            onLine: { receive($0) })
        update { state in
            state.status.process = nil
            state.status.isReady = false
            state.status.admin = nil
            state.status.lastEnding = ending
            if !state.wasEverReady { state.status.failedStarts += 1 }
        }
        return ending
    }

    private func receive(_ line: String) {
        guard let announcement = ChildAnnouncement(line: line), announcement.node == node else {
            logger.warning(
                "child printed something that is no announcement",
                metadata: ["child.node": "\(node)", "child.line": "\(line.prefix(200))"])
            return
        }
        update { state in
            // A process that is on its way out has nothing more to announce.
            guard state.status.process != nil else { return }
            state.status.isReady = announcement.ready
            state.status.admin = announcement.admin
            state.status.listen = announcement.listen ?? state.status.listen
            if announcement.ready { state.wasEverReady = true }
        }
    }

    /// Sends the stop signal, once to each process: some take a second one for impatience.
    private func signalOnce() {
        let process = state.withLock { state -> ProcessIdentity? in
            guard !state.isSignalled, let process = state.status.process else { return nil }
            state.isSignalled = true
            return process
        }
        process?.send(specification(status).stopSignal.rawValue)
    }

    private func update(_ change: (inout State) -> Void) {
        state.withLock { change(&$0) }
        onChange()
    }

    private func metadata(_ ending: ChildProcess.Ending) -> Logger.Metadata {
        ["child.role": "\(role)", "child.node": "\(node)", "child.ending": "\(ending)"]
    }
}
