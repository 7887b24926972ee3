internal import CSpeexDSP

/// A converter of one mono stream from one sample rate to another.
///
/// What comes out depends only on the samples that went in, not on how they were divided into calls. The filter's delay
/// is skipped, so that output sample `k` and input sample `k · from / to` are the same instant; the last few
/// milliseconds come out with the samples that follow them, or with `flush`. With equal rates samples pass unchanged.
/// libspeexdsp allows one thread at a time and keeps nothing thread-bound: the type is not `Sendable`, whoever stores
/// it is its only user, and it may be handed over.
@safe
package struct Resampler: ~Copyable {
    /// The rates taken, in Hz: below is no speech, above is no recorder; the bound keeps filter and buffer small.
    package static let sampleRates = 4_000...192_000

    // "Desktop" quality: speech keeps everything below 0.9 of the lower rate's half, at a delay of a few milliseconds.
    private static let quality = SPEEX_RESAMPLER_QUALITY_DESKTOP
    // Input handed to the filter in one go; bounds the scratch at 48 times as many samples for 4 to 192 kHz.
    private static let sliceCount = 1_024

    private let raw: OpaquePointer?
    private let scratch: UnsafeMutableBufferPointer<Int16>
    // Since the start or the last reset.
    private var consumed = 0
    private var produced = 0

    /// The rate of the input, in Hz.
    package let source: Int
    /// The rate of the output, in Hz.
    package let target: Int

    /// Creates a converter.
    ///
    /// - Throws: `AudioCodecError` with `invalidArgument` for a rate outside `sampleRates`.
    package init(from source: Int, to target: Int) throws(AudioCodecError) {
        for rate in [source, target] where !Self.sampleRates.contains(rate) {
            let allowed = "\(Self.sampleRates.lowerBound) to \(Self.sampleRates.upperBound)"
            throw AudioCodecError(.invalidArgument, "cannot resample at \(rate) Hz; allowed are \(allowed) Hz")
        }
        let created = try unsafe Self.makeFilter(from: source, to: target)
        self.source = source
        self.target = target
        unsafe raw = created
        // One more than the exact share, for the fraction of a sample carried over from the slice before; doubled for
        // the samples that the skipped delay still owes.
        let share = (Self.sliceCount * target + source - 1) / source
        unsafe scratch = .allocate(capacity: source == target ? 0 : 2 * (share + 1))
    }

    private static func makeFilter(from source: Int, to target: Int) throws(AudioCodecError) -> OpaquePointer? {
        guard source != target else { return nil }
        var status: Int32 = 0
        let created = unsafe speex_resampler_init(1, UInt32(source), UInt32(target), Int32(quality), &status)
        guard let created = unsafe created, status == 0 else {
            let reason = unsafe String(cString: speex_resampler_strerror(status))
            throw AudioCodecError(.libraryFailure, "libspeexdsp could not create a resampler: \(reason) (\(status))")
        }
        unsafe speex_resampler_skip_zeros(created)
        return unsafe created
    }

    deinit {
        if let raw = unsafe raw { unsafe speex_resampler_destroy(raw) }
        unsafe scratch.deallocate()
    }

    /// Converts the next samples of the stream and appends what is complete.
    package mutating func process(_ input: some Collection<Int16>, into output: inout [Int16]) {
        guard unsafe raw != nil else {
            output.append(contentsOf: input)
            return
        }
        let filtered = unsafe withContiguousElements(of: input) { samples in
            var filtered = 0
            var rest = unsafe samples[...]
            while unsafe !rest.isEmpty {
                let slice = unsafe UnsafeBufferPointer(rebasing: rest.prefix(Self.sliceCount))
                let made = unsafe filter(slice)
                unsafe output.append(contentsOf: scratch.prefix(made))
                filtered += made
                unsafe rest = rest.dropFirst(slice.count)
            }
            return filtered
        }
        consumed += input.count
        produced += filtered
    }

    /// Appends the end of the stream that the filter still held back, and starts over.
    ///
    /// `n` samples in since the start have then given exactly `n · to / from` out, rounded up.
    package mutating func flush(into output: inout [Int16]) {
        guard unsafe raw != nil else { return }
        let due = (consumed * target + source - 1) / source
        let silence = [Int16](repeating: 0, count: Self.sliceCount)
        while produced < due {
            let made = unsafe silence.withUnsafeBufferPointer { unsafe filter($0) }
            let kept = min(made, due - produced)
            unsafe output.append(contentsOf: scratch.prefix(kept))
            produced += kept
        }
        reset()
    }

    /// Forgets the samples so far: what follows is converted as it would be by a new resampler.
    package mutating func reset() {
        consumed = 0
        produced = 0
        guard let raw = unsafe raw else { return }
        unsafe speex_resampler_reset_mem(raw)
        unsafe speex_resampler_skip_zeros(raw)
    }

    /// Filters at most `sliceCount` samples into the scratch and returns how many came out.
    private func filter(_ slice: UnsafeBufferPointer<Int16>) -> Int {
        var taken = UInt32(slice.count)
        var made = unsafe UInt32(scratch.count)
        let status = unsafe speex_resampler_process_int(raw, 0, slice.baseAddress, &taken, scratch.baseAddress, &made)
        // The library fails here only for missing or overlapping memory, and stops early only when the scratch is full.
        precondition(status == 0, "libspeexdsp refused to process (\(status))")
        precondition(taken == slice.count, "the resampler's scratch is too small")
        return Int(made)
    }
}
