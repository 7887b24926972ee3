import EarshotModel

extension StreamPosition {
    /// The position right behind this one.
    var successor: StreamPosition {
        if sequence < .max { return StreamPosition(milliseconds: milliseconds, sequence: sequence + 1) }
        return StreamPosition(milliseconds: milliseconds + 1, sequence: 0)
    }

    /// The position right before this one, for a range that begins behind it; the start has none before it.
    var predecessor: StreamPosition {
        if sequence > 0 { return StreamPosition(milliseconds: milliseconds, sequence: sequence - 1) }
        guard milliseconds > 0 else { return .start }
        return StreamPosition(milliseconds: milliseconds - 1, sequence: .max)
    }
}
