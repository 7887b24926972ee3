import Foundation

/// Makes audio for tests that is the same in every run.
enum Signal {
    /// A sine of the given frequency at half of full scale.
    static func sine(_ hertz: Double, sampleRate: Int, count: Int) -> [Int16] {
        (0..<count).map { Int16(16_384 * sin(2 * .pi * hertz * Double($0) / Double(sampleRate))) }
    }

    /// Noise over the full scale, fixed by its seed.
    static func noise(count: Int, seed: UInt64 = 1) -> [Int16] {
        var generator = SplitMix(state: seed)
        return (0..<count).map { _ in Int16.random(in: .min ... .max, using: &generator) }
    }

    /// The ratio of the signal's power to that of its difference from `other`, in dB.
    static func fidelity(of other: ArraySlice<Int16>, to signal: ArraySlice<Int16>) -> Double {
        var power = 0.0
        var difference = 0.0
        for (left, right) in zip(signal, other) {
            power += Double(left) * Double(left)
            difference += (Double(left) - Double(right)) * (Double(left) - Double(right))
        }
        return 10 * log10(power / max(difference, 1e-9))
    }
}

/// A small generator of numbers that are the same in every run.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
