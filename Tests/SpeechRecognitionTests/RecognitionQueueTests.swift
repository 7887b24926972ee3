import Testing

@testable import SpeechRecognition

@Suite("The queue of a recogniser")
struct RecognitionQueueTests {
    private let start = ContinuousClock.now

    @Test("Finals go first, and in each class who waits longest")
    func order() throws {
        var queue = RecognitionQueue(threads: 3)
        _ = try queue.add(request(1, .interim))
        _ = try queue.add(request(2, .final))
        _ = try queue.add(request(3, .interim))
        _ = try queue.add(request(4, .final))
        let order = (0..<5).map { _ in queue.next(now: start).request?.id }
        #expect(order == [2, 4, 1, 3, nil])
    }

    @Test("Interims leave one thread for finals")
    func interimLimit() throws {
        var queue = RecognitionQueue(threads: 2)
        let first = request(1, .interim)
        _ = try queue.add(first)
        _ = try queue.add(request(2, .interim))
        #expect(queue.next(now: start).request?.id == 1)
        #expect(queue.next(now: start).request == nil)
        _ = try queue.add(request(3, .final))
        #expect(queue.next(now: start).request?.id == 3)
        queue.finished(first)
        #expect(queue.next(now: start).request?.id == 2)
    }

    @Test("Voices come behind all finals and before interims, and leave one thread for finals, too")
    func voices() throws {
        var queue = RecognitionQueue(threads: 2)
        let voice = request(1, .voice)
        _ = try queue.add(request(9, .interim))
        _ = try queue.add(voice)
        _ = try queue.add(request(2, .voice))
        _ = try queue.add(request(3, .final))
        _ = try queue.add(request(4, .final))
        #expect((0..<4).map { _ in queue.next(now: start).request?.id } == [3, 4, 1, 9])
        #expect(queue.next(now: start).request == nil, "a second voice would hold both threads")
        #expect(queue.voicesWaiting == 1)
        queue.finished(voice)
        #expect(queue.next(now: start).request?.id == 2)
    }

    @Test("Voices are bounded apart: they never use up the finals' room")
    func voicesBound() throws {
        var bounds = RecognitionQueue.Bounds()
        bounds.voicesMax = 2
        bounds.finalSamplesMax = 32_000
        var queue = RecognitionQueue(threads: 1, bounds: bounds)
        for id in 1...2 { _ = try queue.add(request(UInt64(id), .voice, count: 64_000)) }
        let error = #expect(throws: RecognitionError.self) { try queue.add(request(3, .voice)) }
        #expect(error?.code == .unavailable)
        #expect(try queue.add(request(4, .final, count: 32_000)) == [])
        queue.remove(1)
        #expect(queue.voicesWaiting == 1)
        queue.removeAll()
        #expect(queue.voicesWaiting == 0)
    }

    @Test("A newer interim and a final replace the waiting interim of their caller only")
    func superseded() throws {
        var queue = RecognitionQueue(threads: 2)
        #expect(try queue.add(request(1, .interim(of: 7))) == [])
        #expect(try queue.add(request(2, .interim(of: 8))) == [])
        #expect(try queue.add(request(3, .interim(of: 7))) == [1])
        #expect(try queue.add(request(4, .final(of: 7))) == [3])
        #expect(try queue.add(request(5, .final(of: 7))) == [])
        #expect(queue.interimsWaiting == 1)
        #expect(queue.finalsWaiting == 2)
    }

    @Test("An interim that waited more than a second is dropped, a final never")
    func stale() throws {
        var queue = RecognitionQueue(threads: 2)
        _ = try queue.add(request(1, .interim))
        _ = try queue.add(request(2, .interim, after: .milliseconds(500)))
        _ = try queue.add(request(3, .final))
        let decision = queue.next(now: start + .milliseconds(1_200))
        #expect(decision.dropped == [1])
        #expect(decision.request?.id == 3)
        #expect(queue.next(now: start + .milliseconds(1_200)).request?.id == 2)
        _ = try queue.add(request(4, .final))
        #expect(queue.next(now: start + .seconds(3_600)).request?.id == 4)
    }

    @Test("Finals over the bound are refused with both numbers, and room is found again")
    func finalsBound() throws {
        var bounds = RecognitionQueue.Bounds()
        bounds.finalsMax = 2
        var queue = RecognitionQueue(threads: 1, bounds: bounds)
        _ = try queue.add(request(1, .final))
        _ = try queue.add(request(2, .final))
        let error = #expect(throws: RecognitionError.self) { try queue.add(request(3, .final)) }
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("2 utterances") == true)
        queue.remove(1)
        #expect(try queue.add(request(4, .final)) == [])
    }

    @Test("The audio of waiting finals is bounded, too")
    func audioBound() throws {
        var bounds = RecognitionQueue.Bounds()
        bounds.finalSamplesMax = 32_000
        var queue = RecognitionQueue(threads: 1, bounds: bounds)
        _ = try queue.add(request(1, .final, count: 20_000))
        let error = #expect(throws: RecognitionError.self) { try queue.add(request(2, .final, count: 20_000)) }
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("2 s") == true)
        _ = queue.next(now: start)
        #expect(try queue.add(request(3, .final, count: 20_000)) == [])
    }

    @Test("Interims over the bound push out the oldest")
    func interimsBound() throws {
        var bounds = RecognitionQueue.Bounds()
        bounds.interimsMax = 2
        var queue = RecognitionQueue(threads: 1, bounds: bounds)
        #expect(try queue.add(request(1, .interim)) == [])
        #expect(try queue.add(request(2, .interim)) == [])
        #expect(try queue.add(request(3, .interim)) == [1])
        #expect(queue.interimsWaiting == 2)
    }

    private func request(
        _ id: UInt64, _ priority: RecognitionPriority, count: Int = 0, after delay: Duration = .zero
    ) -> RecognitionQueue.Request {
        .init(id: id, samples: [Float](repeating: 0, count: count), priority: priority, submitted: start + delay)
    }
}
