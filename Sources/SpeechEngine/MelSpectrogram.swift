import Foundation

/// What the speaker model hears: the logarithm of the energy in 80 mel bands, every 10 ms, as Kaldi defines it.
///
/// Frames of 25 ms at 16 kHz, whole ones only; the mean removed, pre-emphasis 0.97, a Hamming window, 512 points;
/// triangular bands from 20 Hz to 8 kHz; no dither. Of each band its mean over the whole audio is taken away.
struct MelSpectrogram {
    static let bandCount = 80
    /// Samples of a frame, and from one frame to the next.
    static let frameLength = 400
    static let frameShift = 160

    private static let preEmphasis: Float = 0.97
    /// The model was made with 16-bit values.
    private static let scale: Float = 32_768
    /// The least energy whose logarithm is taken: Kaldi's `FLT_EPSILON`.
    private static let energyMin = Float.ulpOfOne

    private static let spectrum = PowerSpectrum()
    private static let bands = MelBand.all(count: bandCount)
    private static let window = (0..<frameLength).map { index in
        Float(0.54 - 0.46 * cos(2 * Double.pi * Double(index) / Double(frameLength - 1)))
    }

    /// How many frames there are.
    let frameCount: Int
    /// Frame by frame, its bands from low to high.
    private(set) var values: [Float]

    /// Computes the frames of finite samples within -1…1; there are none in less than 25 ms.
    init(_ samples: [Float]) {
        frameCount = samples.count < Self.frameLength ? 0 : 1 + (samples.count - Self.frameLength) / Self.frameShift
        values = []
        values.reserveCapacity(frameCount * Self.bandCount)
        for index in 0..<frameCount {
            let start = index * Self.frameShift
            var frame = Self.prepared(samples[start..<start + Self.frameLength])
            Self.spectrum.transform(&frame)
            for band in Self.bands { values.append(log(max(band.energy(in: frame), Self.energyMin))) }
        }
        removeMeans()
    }

    /// A frame without its mean, emphasised, windowed, and filled up to the transform's length.
    private static func prepared(_ samples: ArraySlice<Float>) -> [Float] {
        var frame = samples.map { $0 * scale }
        let mean = frame.reduce(0, +) / Float(frameLength)
        var before = frame[0] - mean
        for index in 0..<frameLength {
            let sample = frame[index] - mean
            frame[index] = (sample - preEmphasis * before) * window[index]
            before = sample
        }
        frame += repeatElement(0, count: PowerSpectrum.pointCount - frameLength)
        return frame
    }

    private mutating func removeMeans() {
        guard frameCount > 0 else { return }
        for band in 0..<Self.bandCount {
            let places = stride(from: band, to: values.count, by: Self.bandCount)
            let mean = places.reduce(0) { $0 + values[$1] } / Float(frameCount)
            for place in places { values[place] -= mean }
        }
    }
}
