/// Why an operation of the hand-off failed.
package struct HandOffError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The closed set of causes.
    package enum Code: String, Sendable {
        /// Redis is away, or its answer is; the operation may or may not have happened. All operations can be repeated.
        case unavailable
        /// Redis refused for lack of memory.
        case outOfMemory
        /// Redis answered with an error nobody expects.
        case refused
        /// The answer has another shape than the function's.
        case malformedReply
        /// A later append of the same session was taken, so this one, refused for a moment, can only come too late.
        case overtaken
        /// The task was cancelled.
        case cancelled
    }

    package let code: Code
    package let message: String

    /// Makes an error.
    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// Code and message.
    package var description: String { "\(code.rawValue): \(message)" }
}
