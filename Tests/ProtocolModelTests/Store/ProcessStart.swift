/// An incarnation: a process's name and the number of its start (H11).
struct ProcessStart: Hashable, Comparable, Sendable {
    let name: Int
    let number: Int

    static func < (lhs: ProcessStart, rhs: ProcessStart) -> Bool {
        (lhs.name, lhs.number) < (rhs.name, rhs.number)
    }
}
