/// A destination policy that cannot be: a network that is none.
package struct DestinationPolicyError: Error, CustomStringConvertible {
    /// What is wrong and what is allowed.
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}
