import AudioCodecs
package import NIOCore

/// The reference client of `/v1/stream` (docs/protocol.md): sends a source's messages, and goes on where it was however
/// often the network, the gateway or Redis goes away.
///
/// What the server has not acknowledged is kept; while that is as much as may be kept, the source waits. Every decision
/// is `UploadMachine`'s; this type has the sockets. It lives on one event loop.
package struct DeviceUpload: Sendable {
    private let configuration: UploadConfiguration
    private let source: any UploadSource

    /// An upload that does nothing until it is run.
    package init(_ configuration: UploadConfiguration, source: any UploadSource) {
        self.configuration = configuration
        self.source = source
    }

    /// Runs until everything is acknowledged, or nothing more can be done.
    ///
    /// Cancelling the task resets the connection.
    ///
    /// - Parameter group: The upload lives on one of its event loops.
    /// - Returns: What happened; also when it did not come to its good end.
    /// - Throws: What the source or the token threw, or `DeviceConnectionError` with `cancelled` or for a wrong URL.
    package func run(on group: any EventLoopGroup) async throws -> UploadReport {
        let eventLoop = group.next()
        return try await withTaskExecutorPreference(EventLoopTaskExecutor(eventLoop)) {
            try await run(on: eventLoop)
        }
    }

    // Concurrent, so that it runs on the event loop and not on an actor that the caller may be on.
    @concurrent
    private func run(on eventLoop: any EventLoop) async throws -> UploadReport {
        let record = UploadRecord(configuration)
        try await withThrowingTaskGroup(of: Bool.self) { tasks in
            tasks.addTask {
                try await source.deliver { frame in try await record.take(frame) }
                record.sourceEnded()
                return false
            }
            tasks.addTask {
                try await drive(record, on: eventLoop)
                return true
            }
            // The source may be at its end, or may never come to one: the upload is over when its driver is.
            while let isOver = try await tasks.next() { if isOver { break } }
            tasks.cancelAll()
        }
        guard !Task.isCancelled else { throw DeviceConnectionError(.cancelled, "the upload was cancelled") }
        return record.report
    }

    private func drive(_ record: UploadRecord, on eventLoop: any EventLoop) async throws {
        while !Task.isCancelled {
            switch record.step() {
            case .connect(let session, let first):
                try await converse(resuming: session, from: first, record: record, on: eventLoop)
            case .wait(let deadline): await record.wait(until: deadline, on: eventLoop)
            case .finish: return
            case .send, .close, .abandon: preconditionFailure("there is no connection to do this with")
            }
        }
    }

    /// One connection, from the upgrade to its end.
    private func converse(
        resuming session: String?, from first: UInt64, record: UploadRecord, on eventLoop: any EventLoop
    ) async throws {
        let connection: DeviceConnection
        do {
            connection = try await connect(resuming: session, from: first, on: eventLoop)
        } catch let error as DeviceConnectionError {
            switch error.code {
            case .invalidAddress, .invalidHeader, .cancelled: throw error
            default: return record.connectFailed(error)
            }
        }
        record.connected()
        // A send that the socket does not take cannot look at the clock itself.
        let watch = eventLoop.scheduleRepeatedTask(
            initialDelay: UploadLimits.watchInterval, delay: UploadLimits.watchInterval
        ) { _ in if record.isStalled { connection.abort() } }
        defer { watch.cancel() }
        await withTaskCancellationHandler {
            async let reading: Void = record.read(connection.messages)
            await talk(over: connection, record: record)
            connection.abort()
            await reading
        } onCancel: {
            connection.abort()
        }
    }

    private func connect(
        resuming session: String?, from first: UInt64, on eventLoop: any EventLoop
    ) async throws -> DeviceConnection {
        var headers = configuration.headers
        headers.append(("Sec-WebSocket-Protocol", UploadConfiguration.subprotocol))
        if let token = try await configuration.token?() { headers.append(("Authorization", "Bearer \(token)")) }
        return try await DeviceConnection.connect(
            url: configuration.url(resuming: session, from: first), headers: headers, on: eventLoop)
    }

    private func talk(over connection: DeviceConnection, record: UploadRecord) async {
        var sendsInRow = 0
        while !Task.isCancelled, let step = record.stepWhileConnected() {
            switch step {
            case .send(let payload):
                do throws(DeviceConnectionError) {
                    try await connection.send(binary: payload)
                } catch {
                    record.sendFailed()
                }
                sendsInRow += 1
                if sendsInRow == DeviceClientLimits.sendsInRowMax {
                    sendsInRow = 0
                    await Task.yield()
                }
            case .wait(let deadline): await record.wait(until: deadline, on: connection.eventLoop)
            case .close: await connection.close(code: 1000)
            case .abandon: connection.abort()
            case .connect, .finish: return
            }
        }
    }
}
