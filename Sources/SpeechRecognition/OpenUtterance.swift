/// An utterance whose end was not heard yet.
struct OpenUtterance {
    /// Windows whose loudness is averaged to find a pause: 160 ms.
    ///
    /// One window is also quiet in the middle of "stop".
    private static let pauseWindows = 5

    /// The position of its first sample.
    let start: Int
    /// The position of the first window of speech.
    let firstSpeech: Int
    /// Since when there is silence; nil while somebody speaks.
    var silenceStart: Int?
    /// How many samples of speech were heard.
    private(set) var speechCount = 0
    /// The energy of each window from `firstSpeech` on.
    private var energies: [Float] = []

    init(start: Int, firstSpeech: Int) {
        self.start = start
        self.firstSpeech = firstSpeech
    }

    /// Takes the next window, after `silenceStart` was brought up to date.
    mutating func append(_ window: ArraySlice<Float>) {
        if silenceStart == nil { speechCount += window.count }
        energies.append(window.reduce(0) { $0 + $1 * $1 })
    }

    /// Returns the middle of the quietest stretch that begins at `position` or later.
    func quietestPlace(since position: Int) -> Int {
        let windowCount = SegmentationPolicy.windowCount
        let first = max(position - firstSpeech, 0) / windowCount
        let last = max(energies.count - Self.pauseWindows, first)
        var best = first
        var bestEnergy = Float.infinity
        for index in first...last {
            let energy = energies[index..<min(index + Self.pauseWindows, energies.count)].reduce(0, +)
            guard energy < bestEnergy else { continue }
            best = index
            bestEnergy = energy
        }
        let stretch = min(Self.pauseWindows, energies.count - best)
        return firstSpeech + best * windowCount + stretch * windowCount / 2
    }
}
