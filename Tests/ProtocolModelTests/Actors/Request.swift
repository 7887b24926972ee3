/// A command on its way to the store.
enum Request: Hashable, Sendable {
    // Gateways.
    case join(ProcessStart)
    case beat(ProcessStart)
    case register(Registration)
    case append(session: Int, first: Int, count: Int)
    case tail(session: Int, epoch: Token, through: Int)
    case last(session: Int, epoch: Token, count: Int)
    case end(session: Int, epoch: Token?, gateway: ProcessStart)
    // Whoever holds leases.
    case sight(Group)
    case acquire(Group, owner: ProcessStart, nonce: Int, lapsed: StoredLease.Sighting?)
    case renew(Group, token: Token)
    case release(Group, token: Token)
    // Workers.
    case read(Group, token: Token, after: Int, count: Int)
    case look(session: Int, Group, token: Token)
    case commit(ModelCommit)
    // Coordinators.
    case observe
    case trim(token: Token, minimum: Int?)
    case settle(conversation: Int, times: Int, isTimedOut: Bool, token: Token)
}
