import Foundation

/// One triangular band on the mel scale: which frequencies of a spectrum it weighs, and how much.
struct MelBand: Sendable {
    private let first: Int
    private let weights: [Float]

    private static let lowest = 20.0
    private static let highest = 8_000.0

    /// Bands of equal width in mel, each reaching from the middle of its lower neighbour to that of its upper one.
    static func all(count: Int) -> [MelBand] {
        let low = mel(lowest)
        let width = (mel(highest) - low) / Double(count + 1)
        return (0..<count).map { MelBand(left: low + Double($0) * width, width: width) }
    }

    private init(left: Double, width: Double) {
        let binWidth = Double(Transcriber.sampleRate) / Double(PowerSpectrum.pointCount)
        let places = (0..<PowerSpectrum.binCount).map { (Self.mel(Double($0) * binWidth) - left) / width }
        let inside = places.indices.filter { places[$0] > 0 && places[$0] < 2 }
        first = inside.first ?? 0
        weights = inside.map { Float(places[$0] <= 1 ? places[$0] : 2 - places[$0]) }
    }

    /// The energy in the band.
    func energy(in power: [Float]) -> Float {
        var sum: Float = 0
        for index in weights.indices { sum += weights[index] * power[first + index] }
        return sum
    }

    private static func mel(_ frequency: Double) -> Double { 1_127 * log(1 + frequency / 700) }
}
