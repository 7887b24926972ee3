import NIOCore
import Testing

@testable import EarshotClient

@Suite("The ring of an upload")
struct UploadRingTests {
    private func frame(_ bytes: Int, _ milliseconds: Int = 100) -> UploadFrame {
        UploadFrame(payload: ByteBuffer(repeating: 1, count: bytes), duration: .milliseconds(milliseconds))
    }

    @Test("What is acknowledged goes, what is not stays under its number")
    func acknowledged() {
        var ring = UploadRing()
        for _ in 0..<10 { ring.append(frame(10)) }
        ring.acknowledge(below: 4, retention: .zero)
        #expect(ring.first == 4 && ring.next == 10 && ring.acknowledged == 4)
        #expect(ring[3] == nil && ring[4] != nil && ring[9] != nil && ring[10] == nil)
        ring.acknowledge(below: 10, retention: .zero)
        #expect(ring.isAllAcknowledged && ring.first == 10)
    }

    @Test("Where the server may lose it, at least the last seconds are kept, and can be asked for again")
    func retained() {
        var ring = UploadRing()
        for _ in 0..<100 { ring.append(frame(10)) }
        ring.acknowledge(below: 80, retention: .seconds(3))
        #expect(ring.first == 50)
        ring.acknowledge(below: 60, retention: .seconds(3))
        #expect(ring.acknowledged == 60 && ring.first == 50 && ring[60] != nil)
        ring.acknowledge(below: 40, retention: .seconds(3))
        #expect(ring.acknowledged == 50)
        ring.acknowledge(below: 100, retention: .seconds(3))
        #expect(ring.first == 70)
    }

    @Test("While the server is told the oldest number, nothing gives way to what comes")
    func pinned() {
        var ring = UploadRing(bytesMax: 100, framesMax: 1_000)
        for _ in 0..<10 { ring.append(frame(10)) }
        ring.acknowledge(below: 5, retention: .seconds(3))
        #expect(ring.hasRoom)
        ring.isPinned = true
        #expect(!ring.hasRoom)
        ring.append(frame(10))
        #expect(ring.first == 0 && ring.next == 11)
        ring.isPinned = false
        ring.append(frame(10))
        #expect(ring.first == 2 && ring.next == 12)
    }

    @Test("It is bounded in bytes and in messages, and what is acknowledged gives way first")
    func bounded() {
        var ring = UploadRing(bytesMax: 100, framesMax: 1_000)
        for _ in 0..<10 { ring.append(frame(10)) }
        #expect(!ring.hasRoom)
        ring.acknowledge(below: 1, retention: .seconds(3))
        #expect(ring.hasRoom && ring.first == 0)
        ring.append(frame(10))
        #expect(!ring.hasRoom && ring.first == 1 && ring.next == 11)
        var small = UploadRing(bytesMax: 1_000, framesMax: 2)
        small.append(frame(0, 0))
        small.append(frame(0, 0))
        #expect(!small.hasRoom)
    }
}
