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
        queue.offer(window(0))
        #expect(queue.next(now: now)?.window.sequence == 0)
        for sequence in 1...3 { queue.offer(window(UInt64(sequence))) }
        #expect(!queue.isFull)
        #expect(queue.cursor.sample == 0, "the one under way is not settled")
        queue.succeed(announced: 0)
        #expect(queue.cursor.sample == 30, "what was skipped is")
        let next = queue.next(now: now)
        #expect((next?.window.sequence, next?.skipped) == (3, 2))
        queue.fail(retryAt: now + .seconds(1))
        #expect(queue.next(now: now) == nil)
        queue.offer(window(4))
        let newest = queue.next(now: now + .seconds(1))
        #expect((newest?.window.sequence, newest?.skipped) == (4, 3))
        queue.succeed(announced: 3)
        #expect(queue.isSettled)
        #expect((queue.cursor.sample, queue.cursor.sequence, queue.cursor.skipped) == (50, 5, 0))
    }

    @Test("With all, every window is sent in order however often it fails, and the lane is told to wait")
    func all() {
        var queue = queue(.all)
        queue.offer(window(0))
        queue.offer(window(1))
        #expect(queue.isFull)
        for _ in 0..<3 {
            #expect(queue.next(now: now)?.window.sequence == 0)
            queue.fail(retryAt: now)
        }
        #expect(queue.next(now: now)?.window.sequence == 0)
        queue.succeed(announced: 0)
        #expect((queue.cursor.sample, queue.cursor.skipped) == (10, 0))
        #expect(queue.next(now: now)?.window.sequence == 1)
        queue.succeed(announced: 0)
        #expect(queue.isSettled)
    }

    @Test("A receiver that is gone holds up nothing")
    func gone() {
        var queue = queue(.all)
        queue.offer(window(0))
        _ = queue.next(now: now)
        queue.offer(window(1))
        queue.close()
        #expect(queue.isSettled && queue.isGone)
        queue.offer(window(2))
        #expect((queue.cursor.sample, queue.cursor.sequence) == (30, 3))
        queue.succeed(announced: 0)
        #expect(queue.isSettled)
    }

    @Test("Cursors survive their bytes, and others are refused")
    func bytes() throws {
        let cursors = [
            WindowCursor(endpoint: UniqueID(high: 1, low: 2), sample: 3, sequence: 4, skipped: 5),
            WindowCursor(endpoint: UniqueID(high: 6, low: 7), sample: 8),
        ]
        #expect(try WindowCursor.decode(WindowCursor.encode(cursors)) == cursors)
        #expect(try WindowCursor.decode([]).isEmpty)
        #expect(throws: WindowCursor.UnreadableState.self) { try WindowCursor.decode([9, 0, 0]) }
        #expect(throws: WindowCursor.UnreadableState.self) {
            try WindowCursor.decode(Array(WindowCursor.encode(cursors).dropLast()))
        }
    }
}
