/// The signature algorithms that are accepted; everything else, `none` first of all, is not in the set.
enum TokenAlgorithm: String, Sendable, CaseIterable {
    case hs256 = "HS256"
    case rs256 = "RS256"
    case es256 = "ES256"

    static let allowed = allCases.map(\.rawValue).joined(separator: ", ")
}
