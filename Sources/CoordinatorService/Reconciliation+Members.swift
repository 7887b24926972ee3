import AudioStreams
import EarshotModel
import Logging
import WorkerRuntime

// Processes that were killed and did not come again under their names.
extension Reconciliation {
    /// Forgets members that have not beaten for long; one that comes back after all is a member again by its next beat.
    ///
    /// Every coordinator does this, as members belong to no partition; the function compares the beat.
    mutating func forgetMembersIfDue() async throws(HandOffError) {
        if let last = membersLookedAt, ContinuousClock.now - last < limits.memberInterval { return }
        let asked = ContinuousClock.now
        membersLookedAt = asked
        for kind in [.gateway, .coordinator] + configuration.groups.byStream.flatMap(\.groups) {
            let beats = try await handOff.members(kind: kind.name)
            members[kind, default: LapseObserver()].observe(beats, at: .now)
            for (member, beat) in beats
            where members[kind]?.hasLapsed(member, after: limits.memberRetention, at: asked) == true {
                guard try await handOff.forget(kind: kind.name, member: member, beat: beat) else { continue }
                metrics.repaired(.memberForgotten)
                logger.notice(
                    "forgot a process that was killed",
                    metadata: ["role": "\(kind)", "member": "\(member)", "kind": "member_forgotten"])
            }
        }
    }
}
