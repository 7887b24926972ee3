/// What a session tells whoever watches it, as it happens.
package enum DeviceObservation: Sendable {
    /// The upgrade was accepted.
    case connected
    /// The server is ready; the audio begins.
    case ready
    /// These segments came or changed.
    case segments([DeviceSegment])
    /// The server took these segments back.
    case deleted(ids: [String])
    /// An event came; also the ones that the session acts on.
    case event(DeviceEvent)
    /// All audio is sent.
    case audioEnded
    /// The connection is gone.
    case closed(code: UInt16?, reason: String)
}
