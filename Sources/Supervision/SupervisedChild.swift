/// One child of `Supervision.supervise`.
package struct SupervisedChild: Sendable {
    /// What its end means for the others.
    package enum Lifetime: Sendable {
        /// It may finish; the others go on.
        case finite
        /// Its end is the end of all: it stands for the lifetime itself, a connection for example.
        case whole
    }

    let name: String
    let lifetime: Lifetime
    let body: @Sendable () async throws -> Void

    /// Makes a child; its name appears in logs and metrics, so it comes from a fixed set.
    package init(_ name: String, _ lifetime: Lifetime, _ body: @escaping @Sendable () async throws -> Void) {
        self.name = name
        self.lifetime = lifetime
        self.body = body
    }
}
