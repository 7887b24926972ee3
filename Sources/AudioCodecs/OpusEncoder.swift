internal import CLibOpus

/// An encoder of mono samples to one stream of Opus packets, with a variable bitrate.
///
/// libopus allows one thread at a time and keeps nothing thread-bound: the type is not `Sendable`, whoever stores it is
/// its only user, and it may be handed over.
@safe
package struct OpusEncoder: ~Copyable {
    /// What the encoder is tuned for.
    package enum Application: Sendable, CaseIterable {
        /// CELT only, with the least delay; what the wearables' firmware uses.
        case restrictedLowDelay
        /// Speech at low rates.
        case voip
        /// Anything, as faithful as the bitrate allows.
        case audio

        fileprivate var value: Int32 {
            switch self {
            case .restrictedLowDelay: OPUS_APPLICATION_RESTRICTED_LOWDELAY
            case .voip: OPUS_APPLICATION_VOIP
            case .audio: OPUS_APPLICATION_AUDIO
            }
        }
    }

    /// The bitrates an encoder takes, in bit/s.
    package static let bitrates = 500...512_000
    /// The complexities an encoder takes: more finds better packets for more CPU.
    package static let complexities = 0...10

    // The largest a packet of the lengths we take can get at 512 kbit/s is six full frames of 1,275 bytes (120 ms).
    private static let packetBytesMax = 8_192

    private let raw: OpaquePointer
    private let scratch: UnsafeMutablePointer<UInt8>
    private let frameLengths: [Int]

    /// The rate of the samples to encode, in Hz.
    package let sampleRate: Int
    /// How many samples the decoded audio lags behind the encoded; the same many at the start are not audio.
    package let lookahead: Int

    /// Creates an encoder.
    ///
    /// - Parameters:
    ///   - sampleRate: 8000, 12000, 16000, 24000 or 48000.
    ///   - application: What the encoder is tuned for.
    ///   - bitrate: The aim, in bit/s, one of `bitrates`.
    ///   - complexity: One of `complexities`.
    /// - Throws: `AudioCodecError` with `invalidArgument` that names the allowed values.
    package init(
        sampleRate: Int, application: Application, bitrate: Int, complexity: Int
    ) throws(AudioCodecError) {
        try OpusLibrary.check(sampleRate: sampleRate)
        guard Self.bitrates.contains(bitrate) else {
            let allowed = "\(Self.bitrates.lowerBound) to \(Self.bitrates.upperBound)"
            throw AudioCodecError(.invalidArgument, "Opus does not encode at \(bitrate) bit/s; allowed are \(allowed)")
        }
        guard Self.complexities.contains(complexity) else {
            throw AudioCodecError(.invalidArgument, "Opus has no complexity \(complexity); allowed are 0 to 10")
        }
        var status: Int32 = 0
        let created = unsafe opus_encoder_create(Int32(sampleRate), 1, application.value, &status)
        guard let created = unsafe created, status == OPUS_OK else {
            throw OpusLibrary.error(status, action: "create an encoder")
        }
        var lookahead: Int32 = 0
        let statuses = unsafe [
            copus_encoder_set_bitrate(created, Int32(bitrate)),
            copus_encoder_set_complexity(created, Int32(complexity)),
            copus_encoder_set_variable_bitrate(created, 1),
            copus_encoder_get_lookahead(created, &lookahead),
        ]
        if let refused = statuses.first(where: { $0 != OPUS_OK }) {
            unsafe opus_encoder_destroy(created)
            throw OpusLibrary.error(refused, action: "set up an encoder")
        }
        self.sampleRate = sampleRate
        self.lookahead = Int(lookahead)
        frameLengths = OpusLibrary.frameLengths(sampleRate: sampleRate)
        unsafe raw = created
        unsafe scratch = .allocate(capacity: Self.packetBytesMax)
    }

    deinit {
        unsafe opus_encoder_destroy(raw)
        unsafe scratch.deallocate()
    }

    /// Encodes one frame to one packet.
    ///
    /// - Parameter pcm: 2.5, 5, 10, 20, 40, 60, 80, 100 or 120 ms of samples.
    /// - Returns: The bytes of the packet.
    /// - Throws: `AudioCodecError` with `invalidArgument` for any other length.
    package mutating func encode(_ pcm: ArraySlice<Int16>) throws(AudioCodecError) -> [UInt8] {
        guard frameLengths.contains(pcm.count) else {
            let allowed = frameLengths.map(String.init).joined(separator: ", ")
            throw AudioCodecError(
                .invalidArgument,
                "an Opus frame at \(sampleRate) Hz cannot have \(pcm.count) samples; allowed are \(allowed)")
        }
        let encoded = unsafe withContiguousElements(of: pcm) { samples in
            guard let start = samples.baseAddress else { return OPUS_BAD_ARG }
            return unsafe opus_encode(raw, start, Int32(samples.count), scratch, Int32(Self.packetBytesMax))
        }
        guard encoded > 0 else {
            throw OpusLibrary.error(encoded, action: "encode a frame of \(pcm.count) samples")
        }
        return unsafe Array(UnsafeBufferPointer(start: scratch, count: Int(encoded)))
    }
}
