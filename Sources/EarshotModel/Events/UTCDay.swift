/// A day of UTC, as `2026-11-27`.
package struct UTCDay: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Days since 1970-01-01.
    package let number: Int32

    /// The day of so many days since 1970-01-01.
    package init(number: Int32) { self.number = number }

    /// The day of a time in Unix µs.
    package init(of microseconds: Int64) {
        let length: Int64 = 86_400_000_000
        number = Int32(clamping: (microseconds - (microseconds % length + length) % length) / length)
    }

    package static func < (first: UTCDay, second: UTCDay) -> Bool { first.number < second.number }

    package var description: String {
        // Days are counted from 1 March of year 0, so that the day of a leap year comes last.
        let days = Int(number) + 719_468
        let era = (days >= 0 ? days : days - 146_096) / 146_097
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shifted + 2) / 5 + 1
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return "\(Self.padded(year, 4))-\(Self.padded(month, 2))-\(Self.padded(day, 2))"
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
