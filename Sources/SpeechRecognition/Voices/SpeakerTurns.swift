/// Who speaks when in an utterance, as far as it can be told without knowing anybody.
package struct SpeakerTurns: Sendable, Equatable {
    /// Samples of a stretch, the least piece of time that is judged: 17 ms at 16 kHz.
    package static let stretch = 270
    /// The samples in which voices are told apart: 10 s.
    ///
    /// In the next ones their numbers mean others.
    package static let windowCount = 160_000

    /// The stretches of one window, each with the set of voices that speak in it: bits 0 to 2.
    package var windows: [[UInt8]]

    /// Takes the stretches of windows that follow one another.
    package init(windows: [[UInt8]]) { self.windows = windows }

    /// One voice from the first to the last sample.
    package init(oneVoice sampleCount: Int) {
        windows = stride(from: 0, to: sampleCount, by: Self.windowCount).map { start in
            let count = min(sampleCount - start, Self.windowCount)
            return [UInt8](repeating: 1, count: (count + Self.stretch - 1) / Self.stretch)
        }
    }

    /// The samples of a stretch, counted over all windows; the last may reach behind the audio.
    static func samples(window: Int, stretch index: Int) -> Range<Int> {
        let end = (window + 1) * windowCount
        let start = min(window * windowCount + index * stretch, end)
        return start..<min(start + stretch, end)
    }
}
