/// Whoever has a connection to the store.
enum Actor: Hashable, Sendable, CustomStringConvertible {
    case gateway(Int)
    case worker(Int)
    case coordinator(Int)

    var description: String {
        switch self {
        case .gateway(let index): "g\(index)"
        case .worker(let index): "w\(index)"
        case .coordinator(let index): "c\(index)"
        }
    }
}
