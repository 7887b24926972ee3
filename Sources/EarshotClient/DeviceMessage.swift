/// What a device receives.
package enum DeviceMessage: Sendable, Equatable {
    /// A text message, put together from its fragments.
    case text(String)
    /// A binary message, put together from its fragments.
    case binary([UInt8])
    /// The end; nothing follows.
    ///
    /// The code is `nil` when the server sent a close frame without one, or none at all; the reason then says what
    /// happened.
    case closed(code: UInt16?, reason: String)
}
