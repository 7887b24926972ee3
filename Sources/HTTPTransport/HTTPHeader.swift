/// One header field of a request or a response.
package struct HTTPHeader: Sendable, Equatable {
    /// The name; compared without regard to case.
    package var name: String
    /// The value, without white space around it.
    package var value: String

    /// Makes a field.
    package init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}
