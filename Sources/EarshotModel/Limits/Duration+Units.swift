extension Duration {
    /// Whole microseconds.
    package var microseconds: Int64 {
        let parts = components
        return parts.seconds * 1_000_000 + parts.attoseconds / 1_000_000_000_000
    }

    /// Whole milliseconds.
    package var milliseconds: Int64 { microseconds / 1000 }

    /// Seconds with their fraction.
    package var inSeconds: Double { Double(microseconds) / 1_000_000 }
}
