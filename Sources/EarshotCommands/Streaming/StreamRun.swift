import EarshotClient
import NIOPosix

/// Runs the devices of a plan, all at once.
struct StreamRun: Sendable {
    let plan: StreamPlan
    let stream: DeviceStream
    /// The token of a user.
    let token: @Sendable (String) async throws -> String
    /// Told what happens to each device, by its number, on event loops.
    let observer: @Sendable (Int, DeviceObservation) -> Void
    /// Told when a device is done.
    let onEnd: @Sendable (Int, StreamResult) -> Void

    /// Runs to the end of the last device.
    ///
    /// - Returns: What became of each, in their order; a device that fails does not disturb the others.
    func run() async throws -> StreamSummary {
        let started = ContinuousClock.now
        let results = try await withThrowingTaskGroup(of: (Int, StreamResult).self) { group in
            for (index, device) in plan.devices.enumerated() {
                group.addTask {
                    if device.delay > .zero { try await ContinuousClock().sleep(for: device.delay) }
                    let result =
                        plan.isNative ? await runNative(device, index: index) : await run(device, index: index)
                    try Task.checkCancellation()
                    onEnd(index, result)
                    return (index, result)
                }
            }
            var results: [Int: StreamResult] = [:]
            for try await (index, result) in group { results[index] = result }
            return results
        }
        let ordered = results.sorted { $0.key < $1.key }.map(\.value)
        let completed = ordered.count(where: \.isCompleted)
        return StreamSummary(
            sessions: ordered, completed: completed, failed: ordered.count - completed,
            audioSeconds: stream.duration.inSeconds, elapsedSeconds: started.duration(to: .now).inSeconds)
    }

    private func run(_ device: StreamPlan.Device, index: Int) async -> StreamResult {
        var configuration = DeviceSessionConfiguration(url: plan.endpoint(for: stream.codec))
        configuration.speed = plan.speed
        configuration.linger = .quiet(
            .seconds(plan.lingerSeconds), atMost: .seconds(max(plan.lingerSeconds, plan.lingerMaximumSeconds)))
        configuration.observer = { observer(index, $0) }
        do {
            let token = try await token(device.uid)
            configuration.authentication =
                plan.authenticatesByMessage ? .firstMessage(token: token) : .header(token: token)
            let report = try await DeviceSession(configuration, stream: stream)
                .run(on: MultiThreadedEventLoopGroup.singleton)
            return StreamResult(uid: device.uid, report: report, speed: plan.speed)
        } catch {
            return StreamResult(uid: device.uid, failure: error)
        }
    }
}
