import ChaosHarness
import Testing

@Suite struct LaneReleaseTests {
    @Test("A group's lanes are late by its own unread entries; another group's excuse nothing")
    func ownEntries() {
        let delays = LaneRelease.delays([
            "unread_entries": 9, "open_lanes": 9.1,
            "unread_entries.transcript": 9, "open_lanes.transcript": 9.25,
            "unread_entries.private-cloud": 2, "open_lanes.private-cloud": 8.5,
        ])
        #expect(delays == ["transcript": 0.25, "private-cloud": 6.5])
    }

    @Test("Lanes that were gone before the last entry was read are not late; what never went has no delay")
    func never() {
        let conditions: [String: Double?] = [
            "unread_entries.transcript": 3, "open_lanes.transcript": nil, "unread_entries.record": nil,
            "open_lanes.record": 1, "unread_entries.webhook": 3, "open_lanes.webhook": 1,
        ]
        #expect(LaneRelease.delays(conditions) == ["webhook": 0])
    }
}
