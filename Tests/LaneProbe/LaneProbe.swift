import AudioStreams
import EarshotModel
import Foundation
import NIOCore
import RedisClient
import ServiceLifecycle
import TestSupport
import WorkerRuntime

/// A worker process of the tests: counts bytes, and dies or waits where a frame tells it to.
///
/// Arguments: Redis URL, key prefix, number of partitions, its own name, and after how many seconds a lane that hangs
/// ends the process. It prints a line for each counter that grows
/// and for each frame it waits at.
@main
enum LaneProbe {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 6, let partitions = Int(arguments[3]), let stall = Int(arguments[5]) else {
            say("usage: LaneProbe redis-url key-prefix partitions name stall-seconds")
            exit(64)
        }
        // A frame may have it abort on purpose; that is no news worth a core file.
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        let configuration = try RedisConfiguration(url: arguments[1])
        var limits = ProbeFrame.limits
        limits.stallTimeout = .seconds(stall)
        let metrics = CountingMetrics { label, total in say("\(label) \(total)") }
        try await RedisFleet.with(configuration, prefix: arguments[2], limits: limits) { [limits] fleet in
            let worker = Worker(
                Worker.Configuration(
                    group: .transcript, routing: .sessions(wanted: .transcript),
                    member: Incarnation(startingAs: arguments[4]), partitions: partitions, limits: limits),
                handOff: fleet.handOff, reader: fleet.makeReader(),
                factory: ByteCounter.Factory(bytesPerEvent: 60) { _, frame in try await obey(frame) },
                metrics: metrics, logger: RedisFleet.logger,
                // What a worker of the fleet does, too: no cancellation ends the call.
                onStalled: { exit(EX_SOFTWARE) })
            let services = ServiceGroup(services: [worker], logger: RedisFleet.logger)
            try await services.run()
        }
    }

    private static func obey(_ frame: AudioFrame) async throws {
        switch ProbeFrame(frame.bytes) {
        case .audio: break
        case .abort: abort()
        case .hang: await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
        case .wait(let path):
            say("waiting")
            // tidy:allow Task.sleep an outside process makes the file and has no way to tell
            while !FileManager.default.fileExists(atPath: path) { try await Task.sleep(for: .milliseconds(1)) }
        }
    }

    private static func say(_ text: String) { FileHandle.standardOutput.write(Data("\(text)\n".utf8)) }
}
