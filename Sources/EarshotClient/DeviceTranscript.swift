/// The transcript as a device shows it: segments are put in or replaced by their id, and taken out when the server
/// says.
package struct DeviceTranscript: Sendable, Equatable {
    /// The segments in the order in which they first came.
    package private(set) var segments: [DeviceSegment] = []
    /// How many segments the server took back.
    package private(set) var deletedCount = 0
    /// How many segments were not kept because there were `DeviceClientLimits.segmentsMax` already.
    package private(set) var droppedCount = 0

    private var positions: [String: Int] = [:]

    /// The texts of all segments, joined with spaces.
    package var text: String {
        segments.map(\.text).joined(separator: " ")
    }

    /// The segment of an id.
    package subscript(id: String) -> DeviceSegment? {
        positions[id].map { segments[$0] }
    }

    mutating func upsert(_ received: [WireSegment], at arrival: Duration) {
        for segment in received {
            if let position = positions[segment.id] {
                segments[position].update(to: segment, at: arrival)
            } else if segments.count < DeviceClientLimits.segmentsMax {
                positions[segment.id] = segments.count
                segments.append(DeviceSegment(segment, at: arrival))
            } else {
                droppedCount += 1
            }
        }
    }

    mutating func delete(_ ids: [String]) {
        let known = Set(ids.filter { positions[$0] != nil })
        guard !known.isEmpty else { return }
        segments.removeAll { known.contains($0.id) }
        deletedCount += known.count
        positions = Dictionary(uniqueKeysWithValues: segments.enumerated().map { ($1.id, $0) })
    }
}
