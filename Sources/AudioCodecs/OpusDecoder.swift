internal import CLibOpus

/// A decoder of one stream of Opus packets to mono samples.
///
/// Packets of any legal length (2.5 to 120 ms) may follow each other; stereo packets are mixed to mono. A packet that
/// cannot be decoded throws and leaves the decoder usable. libopus allows one thread at a time and keeps nothing
/// thread-bound: the type is not `Sendable`, whoever stores it is its only user, and it may be handed over.
@safe
package struct OpusDecoder: ~Copyable {
    /// The largest packet taken, in bytes.
    ///
    /// 48 frames of 1,275 bytes with their lengths are 61,296 bytes (RFC 6716, section 3.2.5); the rest is room for
    /// padding. A larger message is not an Opus packet and is refused before libopus sees it.
    package static let packetBytesMax = 65_536

    private let raw: OpaquePointer
    private let scratch: UnsafeMutablePointer<Int16>
    private let scratchCount: Int

    /// The rate of the decoded samples, in Hz.
    package let sampleRate: Int

    /// Creates a decoder whose output has the given rate.
    ///
    /// - Parameter sampleRate: 8000, 12000, 16000, 24000 or 48000; it need not be the rate the sender recorded with.
    /// - Throws: `AudioCodecError` with `invalidArgument` for any other rate.
    package init(sampleRate: Int) throws(AudioCodecError) {
        try OpusLibrary.check(sampleRate: sampleRate)
        var status: Int32 = 0
        let created = unsafe opus_decoder_create(Int32(sampleRate), 1, &status)
        guard let created = unsafe created, status == OPUS_OK else {
            throw OpusLibrary.error(status, action: "create a decoder")
        }
        self.sampleRate = sampleRate
        scratchCount = sampleRate / 1_000 * OpusLibrary.packetMillisecondsMax
        unsafe raw = created
        unsafe scratch = .allocate(capacity: scratchCount)
    }

    deinit {
        unsafe opus_decoder_destroy(raw)
        unsafe scratch.deallocate()
    }

    /// Decodes one packet and appends its samples; an error appends nothing.
    ///
    /// - Returns: How many samples were appended.
    /// - Throws: `AudioCodecError` with `corruptPacket` for an empty, damaged or truncated packet, `tooLarge` for one
    ///   over `packetBytesMax`.
    @discardableResult
    package mutating func decode(
        _ packet: some Collection<UInt8>, into pcm: inout [Int16]
    ) throws(AudioCodecError) -> Int {
        let count = packet.count
        // libopus takes an empty packet for a lost one and would make up audio for it.
        guard count > 0 else {
            throw AudioCodecError(.corruptPacket, "the Opus packet is empty; a packet has at least 1 byte")
        }
        guard count <= Self.packetBytesMax else {
            throw AudioCodecError(
                .tooLarge, "the Opus packet has \(count) bytes; at most \(Self.packetBytesMax) are allowed")
        }
        let decoded = unsafe withContiguousElements(of: packet) { bytes in
            unsafe opus_decode(raw, bytes.baseAddress, Int32(bytes.count), scratch, Int32(scratchCount), 0)
        }
        guard decoded >= 0 else {
            throw OpusLibrary.error(decoded, action: "decode a packet of \(count) bytes")
        }
        unsafe pcm.append(contentsOf: UnsafeBufferPointer(start: scratch, count: Int(decoded)))
        return Int(decoded)
    }

    /// Forgets all packets decoded so far: what follows decodes as it would in a new decoder.
    package mutating func reset() {
        let status = unsafe copus_decoder_reset(raw)
        precondition(status == OPUS_OK, "a live Opus decoder refused to reset (\(status))")
    }
}
