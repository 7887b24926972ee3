import EarshotClient
import Foundation
import NIOCore
import NIOPosix
import Synchronization
import TestSupport

/// Devices that stream one session after the other until they are told to stop, each over a proxy of its own.
final class DeviceFleet: Sendable {
    /// A device whose session is over, or did not come about, waits this long; real ones wait longer.
    private static let pause: Duration = .milliseconds(500)

    private let recordings: [Recording]
    private let gatewayPorts: [Int]
    private let proxies: [FaultProxy]
    private let speed: Double
    private let clock: @Sendable () -> Double
    private let outcomes = Mutex<[SessionOutcome]>([])
    private let uploaded = Mutex<[NativeOutcome]>([])

    private init(
        recordings: [Recording], gatewayPorts: [Int], proxies: [FaultProxy], speed: Double,
        clock: @escaping @Sendable () -> Double
    ) {
        self.recordings = recordings
        self.gatewayPorts = gatewayPorts
        self.proxies = proxies
        self.speed = speed
        self.clock = clock
    }

    static func prepared(
        _ recordings: [Recording], gatewayPorts: [Int], speed: Double, clock: @escaping @Sendable () -> Double
    ) async throws -> DeviceFleet {
        var proxies: [FaultProxy] = []
        for index in recordings.indices {
            proxies.append(try await FaultProxy.started(to: gatewayPorts[index % gatewayPorts.count]))
        }
        return DeviceFleet(
            recordings: recordings, gatewayPorts: gatewayPorts, proxies: proxies, speed: speed, clock: clock)
    }

    /// What became of all sessions so far, but for those of native devices.
    var results: [SessionOutcome] { outcomes.withLock(\.self) }
    /// What became of all uploads of native devices so far.
    var uploads: [NativeOutcome] { uploaded.withLock(\.self) }

    /// A device's own link.
    func proxy(of device: Int) -> FaultProxy { proxies[device % proxies.count] }

    func heal() {
        for proxy in proxies { proxy.clear() }
    }

    func stop() async {
        for proxy in proxies { await proxy.stop() }
    }

    /// The user of a device.
    static func user(_ device: Int) -> String { "chaos-\(device)" }

    /// Streams until the run's clock passes a number of seconds; sessions begun before that are brought to their end.
    ///
    /// `after` learns what became of each but native ones.
    func run(
        until end: Double, after: @escaping @Sendable (SessionOutcome) async -> Void = { _ in }
    ) async {
        await withTaskGroup(of: Void.self) { group in
            for recording in recordings {
                group.addTask {
                    // Spread over some seconds, so that devices are not in phase.
                    try? await rest(.milliseconds(37 * (recording.index % 100)))
                    var count = 0
                    while self.clock() < end, !Task.isCancelled {
                        if let native = recording.native {
                            await self.upload(native, of: recording.index, number: count)
                        } else {
                            await after(await self.session(of: recording))
                        }
                        count += 1
                        try? await rest(Self.pause)
                    }
                }
            }
        }
    }

    private func upload(_ recording: NativeRecording, of device: Int, number: Int) async {
        let outcome = await NativeDevice.upload(
            MarkedSource(recording: recording, device: device, upload: number), user: Self.user(device),
            port: proxies[device].port, linger: 4, clock: clock)
        uploaded.withLock { $0.append(outcome) }
    }

    private func session(of recording: Recording) async -> SessionOutcome {
        var outcome = await Self.session(
            recording, user: Self.user(recording.index), port: proxies[recording.index].port, speed: speed,
            clock: clock)
        outcome.device = recording.index
        let finished = outcome
        outcomes.withLock { $0.append(finished) }
        return finished
    }

    /// Streams a recording once.
    static func session(
        _ recording: Recording, user: String, port: Int, speed: Double, lingerSeconds: Double = 4,
        clock: @Sendable () -> Double, observer: (@Sendable (DeviceObservation) -> Void)? = nil
    ) async -> SessionOutcome {
        var outcome = SessionOutcome(device: recording.index, began: clock(), ended: 0)
        var configuration = DeviceSessionConfiguration(
            url: "ws://127.0.0.1:\(port)/v4/listen?codec=\(recording.codec.rawValue)&sample_rate=16000&language=en")
        configuration.authentication = .header(token: "dev:\(user)")
        configuration.speed = speed
        configuration.observer = observer
        configuration.linger = .quiet(.seconds(lingerSeconds), atMost: .seconds(30))
        do {
            let report = try await DeviceSession(configuration, stream: recording.stream)
                .run(on: MultiThreadedEventLoopGroup.singleton)
            let start = report.events.lazy.compactMap { $0.start }.first
            outcome.session = start?.session
            outcome.conversation = start?.conversation
            outcome.segments = report.transcript.segments.map(\.id)
            outcome.sentMessages = report.sentMessageCount
            outcome.isWhole = report.outcome == .completed && report.closeCode == 1000
            outcome.closeCode = report.closeCode.map(Int.init)
            outcome.liveTexts = report.transcript.segments.map(\.text)
        } catch {
            outcome.failure = "\(error)"
            let wait = (error as? DeviceConnectionError)?.refusal?.retryAfter
            outcome.retryAfter = wait?.seconds
        }
        outcome.ended = clock()
        return outcome
    }
}

extension DeviceEvent {
    /// The session and the conversation that a `conversation_session` names.
    var start: (session: String, conversation: String)? {
        guard type == "conversation_session",
            let object = try? JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any],
            let session = object["recording_session_id"] as? String
        else { return nil }
        return (session, object["conversation_id"] as? String ?? "")
    }
}
