import EarshotModel
import Testing

@testable import DeliveryWorkers

@Suite struct WindowQueueTests {
    private let now = ContinuousClock.now

    private func window(_ sequence: UInt64) -> AudioWindow {
        AudioWindow(sequence: sequence, start: sequence * 10, end: sequence * 10 + 10, captureTime: 0, pcm: [])
    }

    private func queue(_ policy: AudioEndpoint.Policy) -> WindowQueue {
        WindowQueue(WindowCursor(endpoint: UniqueID(high: 0, low: 1), sample: 0), policy: policy, now: now)
    }

    @Test("With latest, a newer window replaces the one that waits; skipped ones are counted until they are announced")
    func latest() {
        var queue = queue(.latest)
        queue.offer(window(0), now: now)
        #expect(queue.next(now: now)?.window.sequence == 0)
        for sequence in 1...3 { queue.offer(window(UInt64(sequence)), now: now) }
        #expect(!queue.isFull(now: now))
        #expect(queue.cursor.sample == 0, "the one under way is not settled")
        queue.succeed(announced: 0, now: now)
        #expect(queue.cursor.sample == 30, "what was skipped is")
        let next = queue.next(now: now)
        #expect((next?.window.sequence, next?.skipped) == (3, 2))
        queue.fail(retryAt: now + .seconds(1))
        #expect(queue.next(now: now) == nil)
        queue.offer(window(4), now: now)
        let newest = queue.next(now: now + .seconds(1))
        #expect((newest?.window.sequence, newest?.skipped) == (4, 3))
        queue.succeed(announced: 3, now: now)
        #expect(queue.isSettled)
        #expect((queue.cursor.sample, queue.cursor.sequence, queue.cursor.skipped) == (50, 5, 0))
    }

    @Test("With latest, no window is skipped while the receiver takes each before a window's length has passed")
    func patience() {
        var queue = queue(.latest)
        queue.patience = .seconds(5)
        queue.offer(window(0), now: now)
        queue.offer(window(1), now: now)
        #expect(queue.isFull(now: now + .seconds(4)))
        #expect(queue.next(now: now)?.window.sequence == 0)
        queue.succeed(announced: 0, now: now + .seconds(4))
        #expect(!queue.isFull(now: now + .seconds(4)))
        queue.offer(window(2), now: now + .seconds(4))
        #expect(queue.next(now: now + .seconds(4))?.window.sequence == 1)
        #expect(queue.isFull(now: now + .seconds(8)) && queue.slowAt == now + .seconds(9))
        #expect(!queue.isFull(now: now + .seconds(9)), "it is slow")
        queue.offer(window(3), now: now + .seconds(9))
        #expect(queue.cursor.skipped == 1)
        queue.fail(retryAt: now + .seconds(10))
        #expect(queue.next(now: now + .seconds(10))?.window.sequence == 3)
        queue.offer(window(4), now: now + .seconds(10))
        #expect(!queue.isFull(now: now + .seconds(10)), "it failed")
    }

    @Test("With all, every window is sent in order however often it fails, and the lane is told to wait")
    func all() {
        var queue = queue(.all)
        queue.offer(window(0), now: now)
        queue.offer(window(1), now: now)
        #expect(queue.isFull(now: now))
        for _ in 0..<3 {
            #expect(queue.next(now: now)?.window.sequence == 0)
            queue.fail(retryAt: now)
        }
        #expect(queue.next(now: now)?.window.sequence == 0)
        queue.succeed(announced: 0, now: now)
        #expect((queue.cursor.sample, queue.cursor.skipped) == (10, 0))
        #expect(queue.next(now: now)?.window.sequence == 1)
        queue.succeed(announced: 0, now: now)
        #expect(queue.isSettled)
    }

    @Test("Without room, all skips the oldest that are not under way, so many, and tells how many")
    func overflow() {
        var queue = queue(.all)
        queue.overflow(3)
        queue.offer(window(0), now: now)
        queue.offer(window(1), now: now)
        #expect(!queue.isFull(now: now))
        queue.offer(window(2), now: now)
        #expect((queue.cursor.sample, queue.cursor.skipped) == (10, 1), "nothing is under way: the oldest goes")
        #expect(queue.next(now: now)?.window.sequence == 1)
        queue.offer(window(3), now: now)
        queue.offer(window(4), now: now)
        #expect(queue.isFull(now: now), "three were skipped")
        #expect(queue.cursor.sample == 10, "the one under way is not settled")
        queue.fail(retryAt: now)
        let next = queue.next(now: now)
        #expect((next?.window.sequence, next?.skipped) == (4, 4), "the one under way went with those behind it")
        queue.fail(retryAt: now)
        #expect(queue.next(now: now)?.window.sequence == 4, "it is sent until it arrives")
    }

    @Test("A receiver that is gone holds up nothing")
    func gone() {
        var queue = queue(.all)
        queue.offer(window(0), now: now)
        _ = queue.next(now: now)
        queue.offer(window(1), now: now)
        queue.close()
        #expect(queue.isSettled && queue.isGone)
        queue.offer(window(2), now: now)
        #expect((queue.cursor.sample, queue.cursor.sequence) == (30, 3))
        queue.succeed(announced: 0, now: now)
        #expect(queue.isSettled)
    }

    @Test("Windows are as long as asked for, and in equal parts when they are more than a body may have")
    func lengths() {
        func samples(_ seconds: Int, _ rate: Int) -> UInt64 {
            AudioWindow.samples(seconds: seconds, sampleRate: rate, bodyBytesMaximum: 256 * 1_024)
        }
        #expect(samples(5, 16_000) == 80_000)
        #expect(samples(8, 16_000) == 128_000)
        #expect(samples(5, 48_000) == 120_000, "two parts")
        #expect(samples(60, 48_000) == 130_910, "22 parts of at most 131072")
        #expect(samples(0, 8_000) == 8_000)
    }

    // MARK: Pace

    @Test("An endpoint gets so many requests at once and a second, and none while it asked to be left alone")
    func pace() {
        var pace = EndpointPace(now: now)
        for _ in 0..<2 {
            #expect(pace.verdict(concurrency: 2, rate: 2, now: now) == .now)
            pace.begin(rate: 2, now: now)
        }
        #expect(pace.verdict(concurrency: 2, rate: 2, now: now) == .later)
        #expect(!pace.isIdle(now: now + .seconds(60)), "two are under way")
        pace.end()
        pace.end()
        #expect(pace.verdict(concurrency: 2, rate: 2, now: now) == .at(now + .milliseconds(500)))
        #expect(pace.verdict(concurrency: 2, rate: 2, now: now + .milliseconds(500)) == .now)
        pace.pause(until: now + .seconds(600))
        #expect(pace.verdict(concurrency: 2, rate: 2, now: now + .seconds(599)) == .at(now + .seconds(600)))
        #expect(!pace.isIdle(now: now + .seconds(599)))
        #expect(pace.isIdle(now: now + .seconds(600)))
    }

    @Test("Cursors survive their bytes, and others are refused")
    func bytes() throws {
        let cursors = [
            WindowCursor(endpoint: UniqueID(high: 1, low: 2), sample: 3, sequence: 4, skipped: 5),
            WindowCursor(endpoint: UniqueID(high: 6, low: 7), sample: 8),
        ]
        let plain = try WindowCursor.decode(WindowCursor.encode(cursors))
        #expect(plain.cursors == cursors && plain.breaks.isEmpty)
        let broken = try WindowCursor.decode(WindowCursor.encode(cursors, breaks: [320, 640]))
        #expect(broken.cursors == cursors && broken.breaks == [320, 640])
        #expect(try WindowCursor.decode([]).cursors.isEmpty)
        #expect(throws: WindowCursor.UnreadableState.self) { try WindowCursor.decode([9, 0, 0]) }
        #expect(throws: WindowCursor.UnreadableState.self) {
            try WindowCursor.decode(Array(WindowCursor.encode(cursors).dropLast()))
        }
    }
}
