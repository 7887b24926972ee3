/// What the voice activity model remembers of one stream between windows; at the start, of silence.
package struct SileroState: Sendable, Equatable {
    static let recurrentCount = 256
    static let contextCount = 64

    /// The recurrent layers' state.
    var recurrent = [Float](repeating: 0, count: recurrentCount)
    /// The last samples of the window before.
    var context = [Float](repeating: 0, count: contextCount)

    /// Creates the state at the start of a stream.
    package init() {}
}
