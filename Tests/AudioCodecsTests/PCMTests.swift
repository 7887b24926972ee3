import AudioCodecs
import Testing

@Suite("PCM")
struct PCMTests {
    @Test("Unsigned 8-bit samples are widened around 0x80")
    func widens() {
        #expect(PCM.widen8([0, 0x7F, 0x80, 0x81, 0xFF]) == [-32_768, -256, 0, 256, 32_512])
    }

    @Test("Every 8-bit value survives widening and narrowing")
    func narrows() {
        let all = [UInt8](0...255)
        #expect(PCM.narrow8(PCM.widen8(all)) == all)
        #expect(PCM.narrow8([.max, .min, 127, 128]) == [255, 0, 128, 129])
    }

    @Test("Little-endian bytes and samples convert both ways")
    func littleEndian() throws {
        #expect(PCM.littleEndianBytes([1, -2, 0x1234]) == [1, 0, 0xFE, 0xFF, 0x34, 0x12])
        #expect(try PCM.samples(littleEndian: [0x34, 0x12, 0xFE, 0xFF]) == [0x1234, -2])
        let samples = Signal.noise(count: 1_001)
        #expect(try PCM.samples(littleEndian: PCM.littleEndianBytes(samples)) == samples)
        // A slice that starts at an odd offset, and a collection without contiguous storage.
        let bytes = [0] + PCM.littleEndianBytes(samples)
        #expect(try PCM.samples(littleEndian: bytes.dropFirst()) == samples)
        #expect(try PCM.samples(littleEndian: bytes.dropFirst().lazy.map { $0 }) == samples)
        #expect(try PCM.samples(littleEndian: [UInt8]()) == [])
    }

    @Test("An odd number of bytes is refused by name")
    func oddBytes() {
        var caught: AudioCodecError?
        do { _ = try PCM.samples(littleEndian: [1, 2, 3]) } catch { caught = error }
        #expect(caught?.code == .corruptPacket)
        #expect(caught?.message.contains("3") == true)
    }

    @Test("Floats run from -1 to just under 1 and come back exactly")
    func floats() {
        let samples: [Int16] = [.min, -1, 0, 1, .max]
        let step: Float = 1 / 32_768
        let scaled: [Float] = [-1, -step, 0, step, 1 - step]
        #expect(PCM.floats(samples) == scaled)
        #expect(PCM.samples(PCM.floats(samples)) == samples)
    }

    @Test("Floats out of range are limited and no number is silence")
    func limited() {
        let floats: [Float] = [2, -2, .infinity, -.infinity, .nan]
        #expect(PCM.samples(floats) == [.max, .min, .max, .min, 0])
    }
}
