import AudioStreams
import EarshotClient
import EarshotModel
import Foundation
import GatewayService
import NIOCore
import TestSupport
import Testing

@Suite("A gateway drains: nobody is refused by the kernel, and nobody storms the others")
struct DrainTests {
    /// What a loop's ticks of 25 ms close, by the schedule.
    private func curve(_ count: Int, of total: Int) -> [Int] {
        let limits = Limits()
        let schedule = DrainSchedule(count: count, of: total, limits: limits)
        var closed: [Int] = []
        var elapsed = Duration.zero
        while closed.last ?? -1 < count {
            elapsed += limits.tick
            closed.append(schedule.due(after: elapsed))
        }
        return closed
    }

    @Test("Sessions are closed evenly over 20 s, or one in 10 ms when that is shorter, and over one tick at least")
    func schedule() throws {
        let many = curve(5_000, of: 10_000)
        #expect(many.count == 800, "20 s of ticks")
        let steps = zip(many, [0] + many).map { $0 - $1 }
        #expect(steps.allSatisfy { (6...7).contains($0) }, "6.25 a tick of the loop, 500 a second of the process")
        #expect(curve(100, of: 200).count == 80, "200 sessions of two loops: 2 s")
        #expect(curve(1, of: 1) == [1])
        #expect(curve(0, of: 0).last == 0)
        let schedule = DrainSchedule(count: 5_000, of: 10_000, limits: Limits())
        #expect([0, 1, 4_999].map(schedule.comesAgain) == [.seconds(1), .milliseconds(1_004), .milliseconds(20_996)])
    }

    @Test("While it drains new devices get 503, the open ones 1001 one after another, and all they sent is stored")
    func drain() async throws {
        var limits = Limits()
        limits.drainSpacing = .milliseconds(50)
        let count = 40
        try await GatewayHarness.with(limits: limits) { harness in
            var devices: [DeviceConnection] = []
            for number in 0..<count {
                let device = try await harness.connect(user: "user-\(number)")
                try await device.send(binary: ByteBuffer(repeating: UInt8(number), count: 640))
                devices.append(device)
            }
            // What is on its way when its connection is closed is not the gateway's yet.
            for number in 0..<count {
                try await eventually("the audio of \(number)") {
                    try await !harness.entries(of: "user-\(number)").isEmpty
                }
            }
            let began = ContinuousClock.now
            let closings = try await withThrowingTaskGroup(of: (Duration, UInt16?).self) { tasks in
                for device in devices {
                    tasks.addTask {
                        let code = await device.untilClosed().code
                        return (ContinuousClock.now - began, code)
                    }
                }
                async let drained: Void = harness.drain()
                try await eventually("new devices are refused") { try await refusal(harness) == 503 }
                await drained
                #expect(try await refusal(harness) == 503, "the socket is open when all are gone")
                return try await tasks.reduce(into: []) { $0.append($1) }
            }
            #expect(closings.allSatisfy { $0.1 == 1001 })
            let times = closings.map(\.0).sorted()
            // 40 × 50 ms. A slow machine makes it longer, never shorter.
            #expect(times[count - 1] > .milliseconds(1_500))
            #expect(times[count / 4] < times[count - 1] - .milliseconds(500), "in slices")
            var bySession: [SessionID: [AudioEntry]] = [:]
            for partition in Set((0..<count).map { harness.partition(of: "user-\($0)") }) {
                let entries = try await harness.fleet.handOff.entries(
                    of: .audio, in: partition, after: .start, count: 1_000)
                for entry in entries {
                    let audio = try AudioEntry(decoding: entry.payload)
                    bySession[audio.session, default: []].append(audio)
                }
            }
            let streams = bySession.values.filter { !$0.flatMap(\.frames).isEmpty }
            #expect(streams.count == count)
            #expect(streams.allSatisfy { $0.flatMap(\.frames).count == 1 })
            #expect(streams.allSatisfy { $0.last?.content == .end(.gatewayDraining) })
        }
    }

    @Test("Native devices are told to come again at the pace of the closing, from a second after it began")
    func comesAgain() async throws {
        var limits = Limits()
        limits.drainSpacing = .milliseconds(50)
        limits.restartSpread = .seconds(10)
        let (count, spacing, spread) = (20, limits.drainSpacing, limits.restartSpread)
        try await GatewayHarness.with(limits: limits) { harness in
            var devices: [NativeInbox] = []
            for number in 0..<count {
                let inbox = NativeInbox(try await harness.native(user: "user-\(number)"))
                _ = await inbox.skip(to: "ready")
                devices.append(inbox)
            }
            let began = ContinuousClock.now
            let returns = try await withThrowingTaskGroup(of: Duration?.self) { tasks in
                for device in devices {
                    tasks.addTask {
                        let closing = await device.skip(to: #""reason":"draining""#).flatMap(NativeClosing.init)
                        return closing.map { ContinuousClock.now - began + .milliseconds($0.retryAfter) }
                    }
                }
                await harness.drain()
                return try await tasks.reduce(into: [Duration]()) { if let pause = $1 { $0.append(pause) } }.sorted()
            }
            #expect(returns.count == count)
            // Two loops take turns; a slow machine hears of it later, never earlier.
            for (index, moment) in returns.enumerated() {
                #expect(moment > spread + spacing * (index - 2), "device \(index)")
            }
        }
    }

    private struct NativeClosing {
        let retryAfter: Int

        init?(_ text: String) {
            guard let range = text.range(of: #""type":"closing","reason":"draining","retry_after_ms":"#),
                let number = Int(text[range.upperBound...].prefix(while: \.isNumber))
            else { return nil }
            retryAfter = number
        }
    }

    private func refusal(_ harness: GatewayHarness) async throws -> Int? {
        do {
            let device = try await harness.connect(user: "late")
            device.abort()
            return nil
        } catch let error as DeviceConnectionError {
            return error.refusal?.status
        }
    }
}
