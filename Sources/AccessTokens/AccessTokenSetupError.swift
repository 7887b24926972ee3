/// A configuration with which tokens cannot be checked or minted; a process should end with it at its start.
package struct AccessTokenSetupError: Error, CustomStringConvertible {
    /// What is wrong and what is allowed; never contains a secret.
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}
