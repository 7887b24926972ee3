import FoundationEssentials

/// Times in bodies and headers: UTC with milliseconds and a Z.
package enum ISOTime {
    /// The text of a time in Unix µs.
    package static func text(_ microseconds: Int64) -> String {
        // Whole milliseconds first: the style rounds, and a time must not round up to the next second.
        Date(timeIntervalSince1970: Double(microseconds / 1_000) / 1_000)
            .formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }
}
