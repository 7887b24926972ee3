/// Diarization error: of the reference's speech, the part that was missed, invented or given to another speaker.
///
/// Judged every 10 ms, overlapped speech included, under the mapping of speakers that is best for the whole recording.
struct DiarizationError {
    struct Turn {
        let start: Double
        let end: Double
        let speaker: String
    }

    private(set) var missed = 0.0
    private(set) var invented = 0.0
    private(set) var confused = 0.0
    private(set) var total = 0.0

    var rate: Double { (missed + invented + confused) / total }

    // Within `collar` seconds of a reference boundary nothing is judged.
    init(reference: [Turn], found: [Turn], collar: Double) {
        let end = (reference + found).map(\.end).max() ?? 0
        let boundaries = reference.flatMap { [$0.start, $0.end] }
        let mapping = Self.mapping(reference, found)
        for step in 0..<Int(end * 100) {
            let time = (Double(step) + 0.5) / 100
            guard !boundaries.contains(where: { abs($0 - time) < collar }) else { continue }
            let said = Self.speakers(at: time, reference)
            let heard = Self.speakers(at: time, found)
            let right = heard.filter { mapping[$0].map { said.contains($0) } == true }.count
            total += Double(said.count)
            missed += Double(max(0, said.count - heard.count))
            invented += Double(max(0, heard.count - said.count))
            confused += Double(min(said.count, heard.count) - right)
        }
    }

    /// The speakers found, each as the reference speaker with whom it shares most time; a reference speaker is used
    /// once.
    private static func mapping(_ reference: [Turn], _ found: [Turn]) -> [String: String] {
        var shared: [(found: String, reference: String, time: Double)] = []
        for one in Set(found.map(\.speaker)) {
            for other in Set(reference.map(\.speaker)) {
                let pairs = found.filter { $0.speaker == one }.flatMap { turn in
                    reference.filter { $0.speaker == other }.map {
                        max(0, min($0.end, turn.end) - max($0.start, turn.start))
                    }
                }
                shared.append((one, other, pairs.reduce(0, +)))
            }
        }
        var mapping: [String: String] = [:]
        for pair in shared.sorted(by: { $0.time > $1.time })
        where mapping[pair.found] == nil && !mapping.values.contains(pair.reference) {
            mapping[pair.found] = pair.reference
        }
        return mapping
    }

    private static func speakers(at time: Double, _ turns: [Turn]) -> Set<String> {
        Set(turns.filter { $0.start <= time && time < $0.end }.map(\.speaker))
    }
}
