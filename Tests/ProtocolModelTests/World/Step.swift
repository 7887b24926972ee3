/// One message delivered, one local decision, or one fault.
enum Step: Hashable, Sendable {
    // The connections to the store.
    case execute(Actor)
    case deliver(Actor)
    /// A connection breaks; what the store did not read of it is executed later, or never.
    case cut(Actor, keeps: Bool)
    /// The first command that is left of a broken connection is executed.
    case late(Int)
    case drop(Int)
    case stall(Bool)
    // Processes.
    case stop(Actor)
    case go(Actor)
    case kill(Actor)
    case start(Actor)
    // The store's replica.
    case snapshot
    case failover
    // Devices.
    case connect(device: Int, gateway: Int)
    case send(Int)
    case bye(Int)
    case receive(Int)
    case hear(Int)
    case unlink(Int)
    // Gateways.
    case flush(gateway: Int, session: Int)
    /// The gateway asks whether an idle session is still its own (M17).
    case check(gateway: Int, session: Int)
    case end(gateway: Int, session: Int)
    case beat(Int)
    // Leases.
    case seek(Actor)
    case renew(Actor)
    case release(Actor)
    // Workers.
    case read(Int, count: Int)
    case look(worker: Int, session: Int)
    case commit(Int, only: Int?)
    // Coordinators and the record.
    case observe(Int)
    case trim(Int)
    case settle(Int, conversation: Int, isTimedOut: Bool)
    case record(Int)
}
