import AudioCodecs
package import NIOCore

/// Behaves as one device: connects, waits until the server is ready, sends a recording at its pace while it reads the
/// results, stays for the last of them, and closes.
///
/// A session lives on one event loop and needs no thread of its own; hundreds may run at once on one group. For many of
/// them give them a `DeviceStream` that is `prepared()`.
package struct DeviceSession: Sendable {
    private let configuration: DeviceSessionConfiguration
    private let stream: DeviceStream

    /// Creates a session; it does nothing until it is run.
    ///
    /// - Parameters:
    ///   - configuration: Where it connects to, and how it behaves.
    ///   - stream: What it sends.
    package init(_ configuration: DeviceSessionConfiguration, stream: DeviceStream) {
        self.configuration = configuration
        self.stream = stream
    }

    /// Runs the session to its end.
    ///
    /// Cancelling the task resets the connection.
    ///
    /// - Parameter group: The session lives on one of its event loops.
    /// - Returns: What happened; also when the server ended the session before its time.
    /// - Throws: `DeviceConnectionError` when no connection came about, or with `cancelled`; `AudioCodecError` for a
    /// speed
    ///   that is not allowed or a failure to encode.
    package func run(on group: any EventLoopGroup) async throws -> DeviceReport {
        guard configuration.speed == 0 || DeviceSessionConfiguration.speeds.contains(configuration.speed) else {
            throw AudioCodecError(
                .invalidArgument, "the speed \(configuration.speed) is not allowed; allowed are 0 and 0.1 to 1000")
        }
        let eventLoop = group.next()
        return try await withTaskExecutorPreference(EventLoopTaskExecutor(eventLoop)) {
            try await run(on: eventLoop)
        }
    }

    // Concurrent, so that it runs on the event loop and not on an actor that the caller may be on.
    @concurrent
    private func run(on eventLoop: any EventLoop) async throws -> DeviceReport {
        let record = DeviceSessionRecord(started: .now, observer: configuration.observer)
        var headers = configuration.headers
        if case .header(let token) = configuration.authentication {
            headers.append(("Authorization", "Bearer \(token)"))
        }
        let connection = try await DeviceConnection.connect(url: configuration.url, headers: headers, on: eventLoop)
        let connectedAt = record.elapsed
        record.update { $0.connectedAt = connectedAt }
        record.observe(.connected)
        try await withTaskCancellationHandler {
            async let reading: Void = record.read(connection.messages)
            let outcome = try await converse(over: connection, record: record)
            await connection.close(code: configuration.closeCode)
            await reading
            record.update { $0.outcome = outcome }
        } onCancel: {
            connection.abort()
        }
        guard !Task.isCancelled else {
            throw DeviceConnectionError(.cancelled, "the session was cancelled")
        }
        return record.report
    }

    /// Does everything between the upgrade and the close, and returns how the session ends.
    private func converse(
        over connection: DeviceConnection, record: DeviceSessionRecord
    ) async throws -> DeviceReport.Outcome {
        do {
            if case .firstMessage(let token) = configuration.authentication {
                try await connection.send(text: WireMessage.authentication(token: token))
            }
            if let failure = await prepare(on: connection.eventLoop, record: record) { return failure }
            record.observe(.ready)
            try await sendAudio(over: connection, record: record)
            record.observe(.audioEnded)
        } catch let error as DeviceConnectionError where error.code == .closed {
            return .endedByServer
        }
        await linger(on: connection.eventLoop, record: record)
        return record.isClosed ? .endedByServer : .completed
    }

    /// Waits for what the device needs before it sends; returns how the session ends if that does not come.
    private func prepare(on eventLoop: any EventLoop, record: DeviceSessionRecord) async -> DeviceReport.Outcome? {
        let deadline = ContinuousClock.now + configuration.readyTimeout
        var isPrepared = false
        await record.wait(on: eventLoop) { state in
            isPrepared = isReady(state)
            let isOver = isPrepared || state.isAuthenticated == false || ContinuousClock.now >= deadline
            return isOver ? .done : .wait(until: deadline)
        }
        // The close comes right behind a refusal; it is the refusal that says why.
        if record.isAuthenticated == false { return .notAuthenticated }
        if record.isClosed { return .endedByServer }
        guard isPrepared else { return .notReady }
        let readyAt = record.elapsed
        record.update { $0.readyAt = readyAt }
        return nil
    }

    private func isReady(_ state: DeviceSessionRecord.State) -> Bool {
        if case .firstMessage = configuration.authentication, state.isAuthenticated != true { return false }
        return switch configuration.readiness {
        case .none: true
        case .serviceReady: state.isServiceReady
        case .conversationSession: state.hasConversation
        }
    }

    /// Sends every message when the last of its audio would have been recorded, or later if the server holds it back.
    private func sendAudio(over connection: DeviceConnection, record: DeviceSessionRecord) async throws {
        var iterator = try stream.makeIterator()
        let started = ContinuousClock.now
        let startedAt = record.elapsed
        record.update { $0.audioStartedAt = startedAt }
        var sendsInRow = 0
        while !record.isClosed, let message = try iterator.next() {
            let recorded = message.offset + message.duration
            let due = configuration.speed > 0 ? started + recorded / configuration.speed : started
            if due > .now {
                try await pause(until: due, on: connection.eventLoop)
                sendsInRow = 0
            } else if sendsInRow == DeviceClientLimits.sendsInRowMax {
                await Task.yield()
                sendsInRow = 0
            }
            sendsInRow += 1
            try await connection.send(binary: message.payload)
            let sentAt = record.elapsed
            let lateness = configuration.speed > 0 ? due.duration(to: .now) : .zero
            record.update { report in
                report.sentMessageCount += 1
                report.sentByteCount += message.payload.readableBytes
                report.sentDuration += message.duration
                report.audioEndedAt = sentAt
                report.latenessMax = max(report.latenessMax, lateness)
            }
        }
    }

    /// Sleeps on the event loop's own timer: one heap entry, no thread but the loop's.
    private func pause(until due: ContinuousClock.Instant, on eventLoop: any EventLoop) async throws {
        let timer = eventLoop.scheduleTask(in: TimeAmount(ContinuousClock.now.duration(to: due))) {}
        do {
            try await withTaskCancellationHandler {
                try await timer.futureResult.get()
            } onCancel: {
                timer.cancel()
            }
        } catch {
            throw DeviceConnectionError(.cancelled, "the session was cancelled: \(error)")
        }
    }

    private func linger(on eventLoop: any EventLoop, record: DeviceSessionRecord) async {
        let ended = ContinuousClock.now
        await record.wait(on: eventLoop) { state in
            switch configuration.linger {
            case .quiet(let silence, let limit):
                let due = min(max(state.lastChange ?? ended, ended) + silence, ended + limit)
                return ContinuousClock.now >= due ? .done : .wait(until: due)
            case .until(let condition, let limit):
                let isOver = ContinuousClock.now >= ended + limit
                return isOver || condition(state.report.transcript) ? .done : .wait(until: ended + limit)
            }
        }
    }
}
