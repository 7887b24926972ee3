import NIOCore

/// Every bound of a resuming upload, each with its reason.
package enum UploadLimits {
    /// Audio kept until it is acknowledged, in bytes: two minutes of 16 kHz PCM16, or half an hour of Opus.
    package static let heldBytesMax = 4 << 20
    /// The same in messages: ten minutes of 10 ms packets.
    package static let heldFramesMax = 60_000
    /// Acknowledged audio that is kept where the server may lose it: `everysec` loses two seconds at most.
    package static let retention = Duration.seconds(3)
    /// How long a server may say nothing while something is unacknowledged: it owes an acknowledgement a second.
    package static let silenceMax = Duration.seconds(15)
    /// How long the first message of a connection may take: the registry may be slow.
    package static let greetingMax = Duration.seconds(15)
    /// The first pause between two attempts to connect; each further one is twice as long.
    package static let backoffBase = Duration.milliseconds(250)
    /// The longest pause between two attempts, unless the server asks for a longer one.
    package static let backoffMax = Duration.seconds(10)
    /// The longest pause a server may ask for: past it the wish is taken for a mistake.
    package static let retryAfterMax = Duration.seconds(300)
    /// How often the stream is looked at for a server that says nothing.
    static let watchInterval = TimeAmount.seconds(1)
    /// Sessions of a chain that a report names; later ones are only counted.
    package static let sessionsMax = 10_000
    /// The longest name of a session that is believed.
    static let sessionBytesMax = 128
}
