/// An instant as signatures write it: `20130524T000000Z`.
struct SigningTime {
    /// `20130524`.
    let date: String
    /// `20130524T000000Z`.
    let dateAndTime: String

    init(_ microseconds: Int64) {
        let seconds = microseconds / 1_000_000
        let (year, month, day) = Self.civil(days: seconds / 86_400)
        let time = Int(seconds % 86_400)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        date = "\(year)\(two(month))\(two(day))"
        dateAndTime = "\(date)T\(two(time / 3_600))\(two(time / 60 % 60))\(two(time % 60))Z"
    }

    /// The Gregorian date of a count of days since 1970-01-01, for days from then on.
    ///
    /// Years are counted from March, so that the leap day is a year's last.
    private static func civil(days: Int64) -> (year: Int, month: Int, day: Int) {
        let shifted = Int(days) + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let fromMarch = (5 * dayOfYear + 2) / 153
        let month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * fromMarch + 2) / 5 + 1)
    }
}
