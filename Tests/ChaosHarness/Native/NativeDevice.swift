import EarshotClient
import NIOPosix

/// A device on `/v1/stream`, which is `DeviceUpload` itself.
enum NativeDevice {
    /// Uploads a source's messages until all of them are acknowledged; cancelling resets the connection.
    ///
    /// - Parameters:
    ///   - source: What is sent.
    ///   - user: Whose device it is.
    ///   - port: Where it connects, at every attempt.
    ///   - linger: Seconds without a result after which it goes.
    ///   - clock: Seconds of the run.
    ///   - observer: Learns what happens.
    /// - Returns: What became of it.
    static func upload(
        _ source: MarkedSource, user: String, port: Int, linger: Double, clock: @Sendable () -> Double,
        observer: (@Sendable (DeviceObservation) -> Void)? = nil
    ) async -> NativeOutcome {
        var outcome = NativeOutcome(source: source, user: user, began: clock(), ended: 0)
        let codec = source.recording.codec.rawValue
        var configuration = UploadConfiguration(
            url: "ws://127.0.0.1:\(port)/v1/stream?codec=\(codec)&sample_rate=16000&language=en")
        configuration.token = { "dev:\(user)" }
        configuration.linger = .seconds(linger)
        configuration.lingerMax = .seconds(max(linger, 30))
        configuration.observer = observer
        do {
            let report = try await DeviceUpload(configuration, source: source)
                .run(on: MultiThreadedEventLoopGroup.singleton)
            outcome.report = report
            if report.outcome != .completed {
                outcome.failure = "\(report.outcome.map { "\($0)" } ?? "no outcome"), \(report.closeReason)"
            }
        } catch {
            outcome.failure = "\(error)"
        }
        outcome.ended = clock()
        return outcome
    }
}
