/// A row of an endpoint that cannot be read; what it holds is not told, because it may be a key.
package struct UnreadableEndpoint: Error, Equatable, Sendable, CustomStringConvertible {
    /// The endpoint's id.
    package let id: String
    package let problem: String

    /// Id and problem.
    package var description: String { "the endpoint \(id) cannot be read: \(problem)" }
}
