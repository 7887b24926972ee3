/// How a `DeviceSession` behaves.
package struct DeviceSessionConfiguration: Sendable {
    /// How the device says who it is.
    package enum Authentication: Sendable {
        /// Not at all, or by headers of the caller's.
        case none
        /// `Authorization: Bearer` with the upgrade, as on `/v4/listen`.
        case header(token: String)
        /// The first message after the upgrade, as on `/v4/web/listen`; the session waits for the answer.
        case firstMessage(token: String)
    }

    /// What the device waits for before it sends audio.
    package enum Readiness: Sendable {
        /// Nothing.
        case none
        /// `service_status` with the status `ready`.
        case serviceReady
        /// `conversation_session`.
        case conversationSession
    }

    /// How long the device stays after its last message, for the results.
    package enum Linger: Sendable {
        /// Until no segment has come, changed or gone for a while, and `atMost` in all.
        case quiet(Duration, atMost: Duration)
        /// Until the transcript satisfies a condition, and `atMost` in all; it is asked after every message.
        case until(@Sendable (DeviceTranscript) -> Bool, atMost: Duration)
    }

    /// The speeds taken, beside 0: a tenth to a thousand times real time.
    package static let speeds = 0.1...1_000.0

    /// The endpoint with its query, `ws://…`.
    package var url: String
    /// Sent with the upgrade.
    package var headers: [(String, String)] = []
    /// How the device says who it is.
    package var authentication = Authentication.none
    /// What the device waits for before it sends audio.
    package var readiness = Readiness.serviceReady
    /// How long it waits for the answer to its token, and then for that; past it the session ends as `notReady`.
    package var readyTimeout = Duration.seconds(30)
    /// How fast the audio is sent: 1 is real time, 0 as fast as the server takes it; else one of `speeds`.
    package var speed = 1.0
    /// How long the device stays after its last message.
    package var linger = Linger.quiet(.seconds(3), atMost: .seconds(60))
    /// The code with which the device closes.
    package var closeCode: UInt16 = 1000
    /// Called for everything that happens, on the session's event loop: it must return quickly.
    package var observer: (@Sendable (DeviceObservation) -> Void)?

    /// Creates the configuration of a device that sends in real time once the server is ready.
    package init(url: String) {
        self.url = url
    }
}
