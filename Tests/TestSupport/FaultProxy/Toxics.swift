/// What is wrong with one direction of a proxied connection: Toxiproxy's toxics with their attributes, at most one of
/// each kind.
///
/// The eighth toxic, `down`, is the whole proxy's: `FaultProxy.takeDown()`.
package struct Toxics: Equatable, Sendable, CustomStringConvertible {
    /// Bytes come later.
    package struct Latency: Equatable, Sendable {
        package var delay: Duration
        /// Each piece of data is delayed by this much more or less.
        package var jitter: Duration

        /// Makes a latency.
        package init(_ delay: Duration, jitter: Duration = .zero) {
            self.delay = delay
            self.jitter = jitter
        }
    }

    /// Data is cut into small pieces.
    package struct Slicer: Equatable, Sendable {
        package var averageBytes: Int
        /// Sizes differ from the average by at most this.
        package var variation: Int
        /// Time between two pieces.
        package var delay: Duration

        /// Makes a slicer.
        package init(averageBytes: Int, variation: Int = 0, delay: Duration = .zero) {
            self.averageBytes = averageBytes
            self.variation = variation
            self.delay = delay
        }
    }

    package var latency: Latency?
    /// Most bytes a second.
    package var bandwidth: Int?
    /// The end of the stream is passed on this much later.
    package var slowClose: Duration?
    /// Nothing passes, and the connection is closed after this time; zero never closes it.
    ///
    /// Toxiproxy drops what arrives meanwhile. Here it is held (and the sender soon held back), as TCP would: a
    /// connection that lost bytes and goes on does not happen on a network.
    package var timeout: Duration?
    /// The connection is reset (RST) after this time.
    package var resetPeer: Duration?
    package var slicer: Slicer?
    /// The connection is closed once so many bytes have passed.
    package var limitData: Int?

    /// Nothing is wrong.
    package init() {}

    /// The toxics that are set, by their names.
    package var description: String {
        var parts: [String] = []
        if let latency { parts.append("latency \(latency.delay)±\(latency.jitter)") }
        if let bandwidth { parts.append("bandwidth \(bandwidth) B/s") }
        if let slowClose { parts.append("slow_close \(slowClose)") }
        if let timeout { parts.append("timeout \(timeout)") }
        if let resetPeer { parts.append("reset_peer \(resetPeer)") }
        if let slicer { parts.append("slicer \(slicer.averageBytes)±\(slicer.variation) B every \(slicer.delay)") }
        if let limitData { parts.append("limit_data \(limitData) B") }
        return parts.isEmpty ? "none" : parts.joined(separator: ", ")
    }
}
