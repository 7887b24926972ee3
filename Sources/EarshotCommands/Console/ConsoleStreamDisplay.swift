import EarshotClient
import Synchronization

/// Shows a person how `earshot stream` goes on: on a terminal a moving bar and words as they come, else plain lines.
final class ConsoleStreamDisplay: Sendable {
    private struct State {
        var transcript = ConsoleTranscript()
        var readyAt: ContinuousClock.Instant?
        var connected = 0
        var ended = 0
        var failed = 0
        var drawnLines = 0
    }

    /// Fast enough for the eye; text that comes in between is drawn with the next one.
    private static let redrawInterval: Duration = .milliseconds(100)

    private let state = Mutex(State())
    private let audioSeconds: Double
    private let speed: Double
    private let sessions: Int
    private let isTerminal: Bool

    init(audioSeconds: Double, speed: Double, sessions: Int, isTerminal: Bool) {
        self.audioSeconds = audioSeconds
        self.speed = speed
        self.sessions = sessions
        self.isTerminal = isTerminal
    }

    /// Takes what happens to a device; quick, because an event loop waits for it.
    func observe(_ device: Int, _ observation: DeviceObservation) {
        state.withLock { state in
            switch observation {
            case .connected: state.connected += 1
            case .ready: state.readyAt = state.readyAt ?? .now
            default: break
            }
            // The words of thirty devices at once are nobody's to read.
            if sessions == 1 { state.transcript.apply(observation) }
        }
    }

    /// Takes the end of a device.
    func ended(_ result: StreamResult) {
        state.withLock { state in
            state.ended += 1
            if !result.isCompleted { state.failed += 1 }
        }
    }

    /// Draws until the task is cancelled, then once more without anything that moves.
    func run() async {
        while !Task.isCancelled {
            draw(isOver: false)
            try? await ContinuousClock().sleep(for: Self.redrawInterval)
        }
        draw(isOver: true)
    }

    private func draw(isOver: Bool) {
        state.withLock { state in
            let lines = state.transcript.finishedLines(isOver: isOver)
            guard isTerminal else {
                for line in lines { ConsoleOutput.line(Self.plain(line)) }
                return
            }
            // Back to the first of the moving lines, and wipe from there.
            var text = state.drawnLines > 0 ? "\u{1B}[\(state.drawnLines)F\u{1B}[0J" : ""
            for line in lines { text += Self.plain(line) + "\n" }
            state.drawnLines = 0
            if !isOver {
                let columns = ConsoleOutput.columns
                if let open = state.transcript.open {
                    text += "\u{1B}[2m" + ConsoleProgress.tail(Self.printable(open), columns: columns) + "\u{1B}[0m\n"
                    state.drawnLines += 1
                }
                text += progress(state, columns: columns) + "\n"
                state.drawnLines += 1
            }
            ConsoleOutput.write(text)
        }
    }

    private func progress(_ state: State, columns: Int) -> String {
        let elapsed = state.readyAt.map { $0.duration(to: .now).inSeconds } ?? 0
        let spoken = speed > 0 ? min(elapsed * speed, audioSeconds) : audioSeconds
        if sessions > 1 {
            let label = "\(state.connected) of \(sessions) connected, \(state.ended) done, \(state.failed) failed"
            return ConsoleProgress.bar(
                fraction: Double(state.ended) / Double(sessions), label: label, columns: columns)
        }
        let clock = ConsoleSessions.clock(seconds: spoken)
        return ConsoleProgress.bar(
            fraction: audioSeconds > 0 ? spoken / audioSeconds : 1,
            label: "\(clock) of \(ConsoleSessions.clock(seconds: audioSeconds))", columns: columns)
    }

    private static func plain(_ line: ConsoleTranscript.Line) -> String {
        let mark = line.isCorrection ? "(corrected) " : ""
        return "\(ConsoleSessions.clock(seconds: line.start))  \(mark)\(printable(line.text))"
    }

    /// Text from elsewhere must not move the cursor.
    private static func printable(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }))
    }
}
