/// Where an upload's messages come from: a microphone, or something that stands in for one.
package protocol UploadSource: Sendable {
    /// Gives every message to `take`, in order, and returns after the last.
    ///
    /// `take` waits while the upload has no room; a source that cannot wait has to say what it loses.
    @concurrent
    func deliver(to take: @Sendable (UploadFrame) async throws -> Void) async throws
}
