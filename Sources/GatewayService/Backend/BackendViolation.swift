/// What is wrong with a message of a back end.
struct BackendViolation: Error, Equatable {
    /// The closed set of rules a message can break; the metric's label.
    enum Rule: String {
        /// Fewer than the four bytes of the opcode.
        case header
        case opcode
        /// A text message; all are binary.
        case text
        /// Audio shorter than its timestamp.
        case audio
        /// A timestamp that is no time.
        case time
        case encoding
        case json
        case conversation
    }

    let rule: Rule
    /// What is wrong and what is allowed; it never repeats what came.
    let message: String

    init(_ rule: Rule, _ message: String) {
        self.rule = rule
        self.message = message
    }
}
