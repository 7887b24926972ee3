/// The groups of the model: two that read audio, and the coordinators' leases.
enum Group: Int, CaseIterable, Hashable, Sendable {
    case transcript
    case storage
    case coordinator
}
