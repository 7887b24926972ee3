/// What a transport connects to and how much of everything it uses.
package struct HTTPTransportConfiguration: Sendable {
    /// Where connections may go.
    package var destinations: DestinationPolicy
    /// Exchanges under way; one more is refused with `overloaded`.
    ///
    /// Each costs a socket and about 40 KB; a thousand are more than one machine's workers start at once.
    package var transfersMaximum = 1_024
    /// Connections to one host and port, in use and kept; further exchanges wait, on their own total time-out.
    package var connectionsPerHostMaximum = 256
    /// Connections in use and kept to all hosts; past it the ones idle longest are closed.
    package var connectionsMaximum = 2_048
    /// An idle connection older than this is not used again: receivers close theirs after a minute or so.
    package var connectionIdleMaximum: Duration = .seconds(60)
    /// A connection is used no longer than this, so that a changed name takes effect.
    package var connectionLifetimeMaximum: Duration = .seconds(300)
    /// Bytes of a response's status lines, headers and trailers.
    package var responseHeaderBytesMaximum = 64 * 1024
    /// A PEM file with the certificate authorities to trust instead of the system's.
    package var certificateAuthorityFile: String?
    /// The `User-Agent` of every request.
    package var userAgent = "Earshot"
    /// The addresses a host's name stands for, instead of what the system's resolver says; empty means ask the system.
    package var addressOverride: (@Sendable (_ host: String) -> [String])?

    /// Makes a configuration with the default limits.
    package init(destinations: DestinationPolicy) {
        self.destinations = destinations
    }
}
