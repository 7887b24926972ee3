import NIOCore
import NIOPosix

/// One proxied connection: a client's channel, a server's channel, and a line in each direction.
///
/// Lives on the event loop of both channels.
final class ProxyLink {
    /// What the proxy tells its connections, as an event in the client's pipeline.
    enum Order: Sendable {
        /// The faults have changed.
        case refresh
        /// Closes with RST.
        case cut
        /// Passes nothing any more, for ever, and keeps both connections open.
        case strand
    }

    enum Side {
        case client
        case server

        var other: Side { self == .client ? .server : .client }
    }

    private struct End {
        var channel: any Channel
        /// What comes from this end.
        var line: ToxicLine
        var isReading = false
        var timer: Scheduled<Void>?
    }

    private let faults: () -> LinkFaults
    private var client: End
    private var server: End
    private var isStranded = false
    private var isOver = false
    private var isPumping = false
    private var mustPumpAgain = false

    init(client: any Channel, server: any Channel, seed: UInt64, faults: @escaping () -> LinkFaults) {
        self.faults = faults
        let now = NIODeadline.now()
        let initial = faults()
        self.client = End(channel: client, line: ToxicLine(initial.upstream, at: now, seed: seed))
        self.server = End(channel: server, line: ToxicLine(initial.downstream, at: now, seed: ~seed))
    }

    private subscript(side: Side) -> End {
        get { side == .client ? client : server }
        set { if side == .client { client = newValue } else { server = newValue } }
    }

    func obey(_ order: Order) {
        switch order {
        case .refresh:
            refresh()
            pump()
        case .cut: end(withReset: true)
        case .strand: isStranded = true
        }
    }

    /// Looks at the faults anew: bytes that were sent behind a change may be here before the order.
    private func refresh() {
        let faults = faults()
        client.line.change(to: faults.upstream, at: .now())
        server.line.change(to: faults.downstream, at: .now())
    }

    func received(_ bytes: ByteBuffer, from side: Side) {
        refresh()
        self[side].line.receive(bytes, at: .now())
    }

    func hasRead(_ side: Side) {
        self[side].isReading = false
        pump()
    }

    func inputEnded(_ side: Side) {
        self[side].line.receiveEnd(at: .now())
        pump()
    }

    /// A channel is closed: what it has sent still passes, then the other one is closed too.
    func channelEnded(_ side: Side) {
        guard !isOver else { return }
        self[side].line.receiveEnd(at: .now())
        // Nobody is left to read what the other side sends.
        self[side.other].line = ToxicLine(Toxics(), at: .now(), seed: 0)
        self[side.other].line.receiveEnd(at: .now())
        pump()
    }

    func failed() { end(withReset: true) }

    func pump() {
        guard !isOver, !isStranded else { return }
        guard !isPumping else {
            mustPumpAgain = true
            return
        }
        isPumping = true
        defer { isPumping = false }
        repeat {
            mustPumpAgain = false
            pump(from: .client)
            pump(from: .server)
        } while mustPumpAgain && !isOver
        guard !isOver else { return }
        if client.line.hasFinished, server.line.hasFinished { end(withReset: false) }
    }

    private func pump(from side: Side) {
        guard !isOver else { return }
        let destination = self[side.other].channel
        self[side].timer?.cancel()
        self[side].timer = nil
        var hasWritten = false
        // A destination that is gone is "not writable", and still has to be taken leave of.
        loop: while !isOver, destination.isWritable || !destination.isActive {
            switch self[side].line.next(at: .now()) {
            case .write(let bytes):
                destination.write(bytes, promise: nil)
                hasWritten = true
            case .wait(let due):
                self[side].timer = destination.eventLoop.assumeIsolated().scheduleTask(deadline: due) { [weak self] in
                    self?.pump()
                }
                break loop
            case .idle: break loop
            case .finish: destination.close(mode: .output, promise: nil)
            case .close:
                // What was let through goes before the end does.
                if hasWritten { destination.flush() }
                end(withReset: false)
            case .reset: end(withReset: true)
            }
        }
        if hasWritten { destination.flush() }
        if !isOver, !self[side].isReading, self[side].line.wantsBytes, self[side].channel.isActive {
            self[side].isReading = true
            self[side].channel.read()
        }
    }

    private func end(withReset isReset: Bool) {
        guard !isOver else { return }
        isOver = true
        for side in [Side.client, .server] {
            self[side].timer?.cancel()
            let channel = self[side].channel
            guard isReset, let options = channel as? any SocketOptionProvider else {
                channel.close(promise: nil)
                continue
            }
            options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in channel.close(promise: nil) }
        }
    }
}
