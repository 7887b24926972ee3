import AccessTokens
import ArgumentParser

/// A token's lifetime as typed: seconds, or a number with `s`, `m`, `h` or `d`.
struct Lifetime: ExpressibleByArgument, Equatable, CustomStringConvertible {
    let seconds: Int

    init(seconds: Int) {
        self.seconds = seconds
    }

    init?(argument: String) {
        let digits = argument.prefix { $0.isASCII && $0.isNumber }
        let units = ["": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400]
        let maximum = Int(AccessTokenMinter.lifetimeMaximum.components.seconds)
        guard digits.count <= 9, let number = Int(digits), let unit = units[String(argument[digits.endIndex...])],
            (1...maximum).contains(number * unit)
        else { return nil }
        seconds = number * unit
    }

    var duration: Duration { .seconds(seconds) }

    var description: String { seconds.isMultiple(of: 3_600) ? "\(seconds / 3_600)h" : "\(seconds)" }
    var defaultValueDescription: String { description }
}
