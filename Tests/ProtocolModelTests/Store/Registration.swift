/// A request to register a session; of a device that resumes, one that continues its last session.
struct Registration: Hashable, Sendable {
    /// What the registry answers.
    struct Grant: Hashable, Sendable {
        let epoch: Token
        /// The number from which the device has to send.
        let from: Int
        let conversation: Int
    }

    let device: Int
    let session: Int
    let gateway: ProcessStart
    let nonce: Int
    /// The number of the first frame the device still has.
    let first: Int
    let resumes: Bool
}
