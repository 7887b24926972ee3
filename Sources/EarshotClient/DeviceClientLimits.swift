package import NIOCore

/// Every bound of the device simulator, each with its reason.
package enum DeviceClientLimits {
    /// The largest message taken from a server, in bytes: a finished conversation of a day with all its segments.
    package static let messageBytesMax = 4 << 20
    /// Received messages that may wait for their reader; at this many the socket is no longer read.
    package static let unreadMessagesMax = 128
    /// Unread messages at which reading goes on: half, so that reading does not stop and go for each message.
    package static let unreadMessagesResume = 64
    /// How much of the text of a refused upgrade is kept, in bytes: an error page, not a download.
    package static let refusalBodyBytesMax = 64 << 10
    /// How long connecting and the handshake may take: a server under a connection storm answers late.
    package static let connectTimeout = TimeAmount.seconds(30)
    /// How long a server may take to answer a close frame: a busy one first works off what was sent before it.
    package static let closeTimeout = TimeAmount.seconds(10)
    /// The longest close reason in bytes: a control frame has 125, two of them are the code (RFC 6455, section 5.5).
    package static let closeReasonBytesMax = 123
    /// Events kept in a report; a day of status changes; later ones are only counted.
    package static let eventsMax = 10_000
    /// Segments kept in a transcript: a day of one every second; later ones are only counted.
    package static let segmentsMax = 100_000
    /// Texts kept of one segment; interim results come a few times a second and a segment lasts half a minute.
    package static let versionsMax = 1_000
    /// Messages sent in a row, when they are late or unpaced, before other work of the event loop has its turn.
    package static let sendsInRowMax = 16
}
