internal import CLibOgg

/// Puts Opus packets into an Ogg file as they are (RFC 7845); libogg makes the pages.
///
/// The same calls always give the same bytes. A page holds about a second, so that players seek well. libogg keeps
/// nothing thread-bound: the type is not `Sendable`, whoever stores it is its only user.
@safe
package struct OggOpusWriter: ~Copyable {
    // RFC 7845, section 4: pages of more than a second make seeking slow.
    private static let pageSamplesMax = 48_000

    private let stream: UnsafeMutablePointer<ogg_stream_state>
    private var bytes: [UInt8] = []
    private var packetNumber: Int64 = 0
    private var granule: Int64 = 0
    private var pageSamples = 0
    /// The packet that is written once it is known whether another follows it.
    private var last: (packet: [UInt8], samples: Int)?

    /// Begins a file.
    ///
    /// - Parameters:
    ///   - serial: the logical stream's number; files that are put behind each other need different ones.
    ///   - head: what the identification header says.
    ///   - comments: `NAME=value` each.
    /// - Throws: `AudioCodecError` with `invalidArgument` for a pre-skip that the header cannot hold.
    package init(serial: UInt32, head: OggOpusHead, comments: [String]) throws(AudioCodecError) {
        guard (0...OggOpusHead.preSkipMax).contains(head.preSkip) else {
            throw AudioCodecError(
                .invalidArgument, "an Ogg Opus file cannot skip \(head.preSkip) samples; allowed are 0 to 65535")
        }
        let created = try unsafe Self.makeStream(serial)
        unsafe stream = created
        // Each header has pages of its own (RFC 7845, section 3).
        put(head.encoded, granule: 0, isLast: false)
        flush()
        put(OggOpusHead.tags(vendor: "Earshot", comments: comments), granule: 0, isLast: false)
        flush()
    }

    private static func makeStream(
        _ serial: UInt32
    ) throws(AudioCodecError) -> UnsafeMutablePointer<ogg_stream_state> {
        let stream = UnsafeMutablePointer<ogg_stream_state>.allocate(capacity: 1)
        guard unsafe ogg_stream_init(stream, Int32(bitPattern: serial)) == 0 else {
            unsafe stream.deallocate()
            throw AudioCodecError(.libraryFailure, "libogg could not begin a stream")
        }
        return unsafe stream
    }

    deinit {
        unsafe ogg_stream_clear(stream)
        unsafe stream.deallocate()
    }

    /// Samples at 48 kHz in the packets so far, those to skip included.
    package var samples: Int { Int(granule) + (last?.samples ?? 0) }

    /// Adds a packet.
    ///
    /// - Parameters:
    ///   - packet: its bytes, at least one.
    ///   - samples: what it decodes to at 48 kHz.
    package mutating func append(_ packet: [UInt8], samples: Int) {
        writeLast(isLast: false, trimming: 0)
        last = (packet, samples)
    }

    /// Ends the file.
    ///
    /// - Parameter trimming: samples at 48 kHz at the end that are not to be played; less than the last packet holds.
    /// - Returns: all of the file.
    package consuming func finish(trimming: Int = 0) -> [UInt8] {
        if last == nil {
            // A stream without audio still needs its end; nothing that came before is to be played.
            last = (OpusSilence.packets(samples: OpusSilence.granularity)[0], 0)
        }
        writeLast(isLast: true, trimming: trimming)
        flush()
        return bytes
    }

    private mutating func writeLast(isLast: Bool, trimming: Int) {
        guard let (packet, samples) = last else { return }
        // A page ends before the packet that would carry it over its length.
        if pageSamples > 0, pageSamples + samples > Self.pageSamplesMax { flush() }
        granule += Int64(samples)
        pageSamples += samples
        put(packet, granule: granule - Int64(trimming), isLast: isLast)
        while unsafe takePage({ unsafe ogg_stream_pageout($0, $1) }) {}
        last = nil
    }

    private mutating func put(_ packet: [UInt8], granule: Int64, isLast: Bool) {
        var packet = packet
        let number = packetNumber
        packetNumber += 1
        let stream = unsafe stream
        let status = unsafe packet.withUnsafeMutableBufferPointer { bytes in
            var description = unsafe ogg_packet(
                packet: bytes.baseAddress, bytes: bytes.count, b_o_s: number == 0 ? 1 : 0, e_o_s: isLast ? 1 : 0,
                granulepos: granule, packetno: number)
            return unsafe ogg_stream_packetin(stream, &description)
        }
        // The one other cause of a failure is no memory, in which Swift would have stopped, too.
        precondition(status == 0, "libogg refused a packet (\(status))")
    }

    private mutating func flush() {
        while unsafe takePage({ unsafe ogg_stream_flush($0, $1) }) {}
    }

    private mutating func takePage(
        _ next: (UnsafeMutablePointer<ogg_stream_state>, UnsafeMutablePointer<ogg_page>) -> Int32
    ) -> Bool {
        var page = unsafe ogg_page()
        guard unsafe next(stream, &page) != 0 else { return false }
        unsafe bytes.append(contentsOf: UnsafeBufferPointer(start: page.header, count: page.header_len))
        unsafe bytes.append(contentsOf: UnsafeBufferPointer(start: page.body, count: page.body_len))
        pageSamples = 0
        return true
    }
}
