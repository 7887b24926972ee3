import Foundation

/// The power of 512 real samples at each of 256 frequencies: a radix-2 Fourier transform with tables made once.
///
/// Pointers instead of arrays: a debug build, in which the tests run, takes a hundredth of the time.
@safe
struct PowerSpectrum: Sendable {
    /// The samples of a transform.
    static let pointCount = 512
    /// The frequencies it gives: the highest, half the sample rate, is left out.
    static let binCount = pointCount / 2

    private static let stageCount = 9
    private let cosines: [Float]
    private let sines: [Float]
    /// Where each sample goes before the first stage: its number with its nine bits reversed.
    private let places: [Int]

    init() {
        let angles = (0..<Self.pointCount / 2).map { -2 * Double.pi * Double($0) / Double(Self.pointCount) }
        cosines = angles.map { Float(cos($0)) }
        sines = angles.map { Float(sin($0)) }
        places = (0..<Self.pointCount).map { number in
            (0..<Self.stageCount).reduce(0) { $0 | (number >> $1 & 1) << (Self.stageCount - 1 - $1) }
        }
    }

    /// Replaces the first 256 of 512 samples by the power at each frequency; what is behind them is left undefined.
    func transform(_ samples: inout [Float]) {
        var real = places.map { samples[$0] }
        var imaginary = [Float](repeating: 0, count: Self.pointCount)
        unsafe real.withUnsafeMutableBufferPointer { real in
            unsafe imaginary.withUnsafeMutableBufferPointer { imaginary in
                unsafe samples.withUnsafeMutableBufferPointer { samples in
                    guard let real = real.baseAddress, let imaginary = imaginary.baseAddress,
                        let samples = samples.baseAddress
                    else { return }
                    var half = 1
                    while half < Self.pointCount {
                        unsafe runStage(half, real, imaginary)
                        half &*= 2
                    }
                    var bin = 0
                    while bin < Self.binCount {
                        unsafe samples[bin] = unsafe real[bin] * real[bin] + imaginary[bin] * imaginary[bin]
                        bin &+= 1
                    }
                }
            }
        }
    }

    /// One stage of butterflies, whose two ends lie `half` apart.
    private func runStage(
        _ half: Int, _ real: UnsafeMutablePointer<Float>, _ imaginary: UnsafeMutablePointer<Float>
    ) {
        unsafe cosines.withUnsafeBufferPointer { cosines in
            unsafe sines.withUnsafeBufferPointer { sines in
                guard let cosines = cosines.baseAddress, let sines = sines.baseAddress else { return }
                let step = Self.pointCount / (2 &* half)
                var offset = 0
                while offset < half {
                    let cosine = unsafe cosines[offset &* step]
                    let sine = unsafe sines[offset &* step]
                    var low = offset
                    while low < Self.pointCount {
                        let high = low &+ half
                        let turnedReal = unsafe real[high] * cosine - imaginary[high] * sine
                        let turnedImaginary = unsafe real[high] * sine + imaginary[high] * cosine
                        unsafe real[high] = unsafe real[low] - turnedReal
                        unsafe imaginary[high] = unsafe imaginary[low] - turnedImaginary
                        unsafe real[low] += turnedReal
                        unsafe imaginary[low] += turnedImaginary
                        low &+= 2 &* half
                    }
                    offset &+= 1
                }
            }
        }
    }
}
