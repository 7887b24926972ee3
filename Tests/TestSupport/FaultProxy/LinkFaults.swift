/// What is wrong with both directions of connections.
package struct LinkFaults: Equatable, Sendable {
    /// From the client to the server.
    package var upstream = Toxics()
    /// From the server to the client.
    package var downstream = Toxics()

    /// Nothing is wrong.
    package init() {}

    /// The same in both directions.
    package init(both toxics: Toxics) {
        upstream = toxics
        downstream = toxics
    }
}
