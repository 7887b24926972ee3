/// Reads `timestamptz` as this adapter's sessions print it: ISO, UTC, `2026-03-01 12:34:56.789+00`.
enum PostgresTimestamp {
    /// Returns Unix microseconds, nil for `infinity`, for years before Christ and for anything else.
    static func microseconds(_ text: String) -> Int64? {
        let parts = text.split(separator: " ")
        guard parts.count == 2, parts[1].hasSuffix("+00") else { return nil }
        let date = parts[0].split(separator: "-")
        let clock = parts[1].dropLast(3).split(separator: ":")
        guard date.count == 3, clock.count == 3 else { return nil }
        let seconds = clock[2].split(separator: ".", omittingEmptySubsequences: false)
        guard let year = number(date[0]), let month = number(date[1]), let day = number(date[2]),
            let hour = number(clock[0]), let minute = number(clock[1]), let second = number(seconds[0]),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 60,
            let fraction = seconds.count == 1 ? 0 : seconds.count == 2 ? fraction(seconds[1]) : nil
        else { return nil }
        let total = ((days(year: year, month: month, day: day) * 24 + hour) * 60 + minute) * 60 + second
        return total * 1_000_000 + fraction
    }

    private static func number(_ text: Substring) -> Int64? {
        guard !text.isEmpty, text.count <= 6, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int64(text)
    }

    /// Microseconds of up to six digits behind the point.
    private static func fraction(_ text: Substring) -> Int64? {
        guard let value = number(text) else { return nil }
        return (text.count..<6).reduce(value) { result, _ in result * 10 }
    }

    /// Days from 1970-01-01 in the proleptic Gregorian calendar.
    ///
    /// Years are counted from March, so that the leap day is a year's last and every 400 years hold 146,097 days.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted % 400
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}
