/// The value of a lease or an epoch: a counter, and a nonce of whoever acquired it (C4).
struct Token: Hashable, Sendable {
    let counter: Int
    let nonce: Int
}
