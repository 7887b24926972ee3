/// A coordinator: it watches gateways, ends the sessions of dead ones, trims, and completes conversations.
struct CoordinatorModel: Hashable, Sendable {
    /// One counter as it was seen last, and for how many looks it has stood still.
    struct Beat: Hashable, Sendable {
        var value: Int
        var unchanged = 0
    }

    /// Looks at an unchanged counter after which its gateway has lapsed.
    static let lapse = 3

    var start: ProcessStart
    var isDead = false
    var channel = Channel()
    var lease = LeaseClient(group: .coordinator)
    var identity = 0
    var beats: [ProcessStart: Beat] = [:]
    /// How often a gateway that live sessions name was missing among the members.
    var absent: [ProcessStart: Int] = [:]
    var lowestPosition: Int?
    /// How often conversations were completed before, as the store said.
    var times: [Int: Int] = [:]

    init(name: Int, number: Int) { start = ProcessStart(name: name, number: number) }

    /// Takes in one look and returns the sessions of dead gateways.
    mutating func saw(_ observation: Reply.Observation) -> [Reply.LiveSession] {
        lowestPosition = observation.lowestPosition
        var next: [ProcessStart: Beat] = [:]
        for (member, value) in observation.beats {
            var beat = beats[member] ?? Beat(value: value, unchanged: -1)
            beat.unchanged = beat.value == value ? beat.unchanged + 1 : 0
            beat.value = value
            next[member] = beat
        }
        beats = next
        let named = Set(observation.live.map(\.gateway))
        absent = absent.filter { named.contains($0.key) }
        for gateway in named { absent[gateway] = beats[gateway] == nil ? absent[gateway, default: 0] + 1 : nil }
        return observation.live.filter { isDead($0.gateway) }
    }

    private func isDead(_ gateway: ProcessStart) -> Bool {
        if let beat = beats[gateway] { return beat.unchanged >= Self.lapse }
        if beats.keys.contains(where: { $0.name == gateway.name }) { return true }
        return absent[gateway, default: 0] >= Self.lapse
    }

    /// Contact was lost: what was unchanged may only have been unseen (H1).
    mutating func reconnect(_ rules: Rules) {
        lease.seen = nil
        absent = [:]
        for member in beats.keys.sorted() {
            guard let unchanged = beats[member]?.unchanged else { continue }
            beats[member]?.unchanged = rules.lapseNeedsContact ? 0 : unchanged + 1
        }
        channel.requests = []
    }
}
