import EarshotModel
import NIOCore

/// What a session's audio of the day came to so far, in samples of the device; every commit stores it.
struct DayUsage: Equatable {
    /// Days since 1970-01-01 (UTC) of the capture; `nil` before the first audio.
    var day: UTCDay?
    var received: UInt64 = 0
    var transcribed: UInt64 = 0
    /// How much was received when it was told last.
    var told: UInt64 = 0

    /// Bytes of `encoded`.
    static let encodedLength = 4 + 8 + 8 + 8

    /// Adds audio; a day that is over by it is returned, with its final total.
    ///
    /// Capture times of a session do not go back; if they did, their audio would count for the later day.
    mutating func add(received samples: UInt64, transcribed speech: UInt64 = 0, on day: UTCDay) -> DayUsage? {
        var finished: DayUsage?
        if let current = self.day, current < day {
            finished = self
            self = DayUsage()
        }
        self.day = max(day, self.day ?? day)
        received += samples
        transcribed += speech
        return finished
    }

    func encode(into buffer: inout ByteBuffer) {
        buffer.writeMultipleIntegers(day?.number ?? .min, received, transcribed, told)
    }

    init() {}

    init?(decoding buffer: inout ByteBuffer) {
        guard
            let (number, received, transcribed, told) = buffer.readMultipleIntegers(
                as: (Int32, UInt64, UInt64, UInt64).self)
        else { return nil }
        day = number == .min ? nil : UTCDay(number: number)
        self.received = received
        self.transcribed = transcribed
        self.told = told
    }
}
