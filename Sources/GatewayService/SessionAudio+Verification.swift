import AudioStreams
import EarshotModel

// Whether a Redis that is connected to anew still has what counted: it may have been killed, or be another one
// (protocol.md C4, H10).
extension SessionAudio {
    /// What is compared.
    struct Verification {
        /// Where the last append stands that counts, and the number behind it.
        var counted: (at: StreamPosition, next: UInt64)?
        /// Whether Redis is asked; nothing counts meanwhile.
        var isPending = false
        /// What would count.
        var held: Covered?
    }

    /// Looks for the last entry that counts: what a server has lost is always an end of what it had.
    func verify() {
        guard let counted = verification.counted, !verification.isPending, gap == nil else { return }
        verification.isPending = true
        loop.appender.askEntry(at: counted.at, in: registration.partition) { [self] result in
            switch result {
            case .success(true): verified()
            case .success(false): askReach(counted.next)
            case .failure: owner?.audioWasRefused()
            }
        }
    }

    /// The entry is lost, or was trimmed because all groups are through with it.
    private func askReach(_ next: UInt64) {
        loop.appender.askReach(
            of: registration.session, epoch: registration.grant.epoch, in: registration.partition
        ) { [self] result in
            switch result {
            case .success(let reach?) where reach >= next: verified()
            case .success(let reach): rolledBack(from: reach, to: next)
            case .failure: owner?.audioWasRefused()
            }
        }
    }

    /// What was held back counts.
    func verified() {
        verification.isPending = false
        guard let held = verification.held else { return }
        verification.held = nil
        self.held(held)
    }
}
