import EarshotModel

/// The query of `/v1/trigger/listen`, read and checked (omi.md 2.1).
struct BackendParameters: Equatable {
    static let sampleRates = 8_000...48_000

    let sampleRate: Int
    /// Whether the second version of the audio timeline was asked for.
    let hasTimeline: Bool

    /// The user of decoded query items; of a repeated name the last counts.
    ///
    /// - Throws: `ListenRefusal.malformed`, answered before the upgrade.
    static func user(of query: [(name: String, value: String)]) throws(ListenRefusal) -> UserID {
        guard let user = query.last(where: { $0.name == "uid" }).flatMap({ UserID($0.value) }) else {
            throw .malformed("uid must be \(UserID.rule)")
        }
        return user
    }

    /// The rest; unknown names, `client_kind` among them, are ignored.
    ///
    /// - Throws: `ListenRefusal`: malformed before the upgrade, or a close behind it.
    init(query: [(name: String, value: String)]) throws(ListenRefusal) {
        let values = Dictionary(query.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
        guard let rate = Int(values["sample_rate"] ?? "8000") else {
            throw .malformed("sample_rate must be a whole number")
        }
        guard Self.sampleRates.contains(rate) else {
            throw .close(
                .policy,
                "unsupported sample_rate; allowed: \(Self.sampleRates.lowerBound) to \(Self.sampleRates.upperBound)")
        }
        switch values["audio_timeline"] {
        case nil: hasTimeline = false
        case "2": hasTimeline = true
        default: throw .close(.policy, "unsupported audio_timeline; allowed: 2, or none")
        }
        sampleRate = rate
    }
}
