import Synchronization

/// How many sessions the process holds: each loop states its own number, so nothing is counted up and down.
final class SessionCensus: Sendable {
    private let counts: Mutex<[Int]>

    init(loops: Int) { counts = Mutex(Array(repeating: 0, count: loops)) }

    func state(_ count: Int, loop: Int) { counts.withLock { $0[loop] = count } }
    var total: Int { counts.withLock { $0.reduce(0, +) } }
}
