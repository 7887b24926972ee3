/// How long to wait before a child that ended is started again.
struct RestartBackoff: Equatable {
    /// Soon: a device hears nothing until the child is back.
    static let shortest: Duration = .milliseconds(200)
    /// A child that cannot start must not eat the machine, and must not be forgotten either.
    static let longest: Duration = .seconds(5)
    /// A child that lived this long had started well: its next restart is a first one again.
    static let recovery: Duration = .seconds(10)

    private var next = RestartBackoff.shortest

    /// The pause before the next start of a child that lived for `lifetime`.
    mutating func pause(afterLifetime lifetime: Duration) -> Duration {
        if lifetime >= Self.recovery { next = Self.shortest }
        defer { next = min(next * 2, Self.longest) }
        return next
    }
}
