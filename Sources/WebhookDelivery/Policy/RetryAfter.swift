import FoundationEssentials

/// Reads a `Retry-After` header: seconds, or a date of HTTP (RFC 9110 section 10.2.3).
package enum RetryAfter {
    /// The time to wait from `now` on; `nil` when the value is neither form.
    ///
    /// - Parameters:
    ///   - value: The header's value.
    ///   - now: Unix seconds.
    /// - Returns: Never negative.
    package static func parse(_ value: String, now: Int64) -> Duration? {
        let text = value.filter { !$0.isWhitespace || $0 == " " }
        if !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            // More digits than any sensible wait has: as long as there is.
            return .seconds(Int64(text) ?? Int64(Int32.max))
        }
        guard let seconds = date(text) else { return nil }
        return .seconds(max(0, seconds - now))
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT`, the one form senders may use today.
    private static func date(_ text: String) -> Int64? {
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[5] == "GMT", let day = Int(parts[1]), let year = Int(parts[3]),
            let month = months.firstIndex(of: String(parts[2])), (1...31).contains(day), (1970...9999).contains(year)
        else { return nil }
        let clock = parts[4].split(separator: ":").compactMap { Int($0) }
        guard clock.count == 3, (0...23).contains(clock[0]), (0...59).contains(clock[1]), (0...60).contains(clock[2])
        else { return nil }
        var components = DateComponents()
        (components.year, components.month, components.day) = (year, month + 1, day)
        (components.hour, components.minute, components.second) = (clock[0], clock[1], clock[2])
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        return calendar.date(from: components).map { Int64($0.timeIntervalSince1970) }
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}
