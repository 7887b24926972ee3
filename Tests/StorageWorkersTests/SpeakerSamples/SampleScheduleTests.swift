import EarshotModel
import Testing

@testable import StorageWorkers

@Suite("When requests for samples are handled")
struct SampleScheduleTests {
    private let second: Int64 = 1_000_000

    private func request(_ name: String, at seconds: Int64) throws -> SpeakerSampleRequest {
        SpeakerSampleRequest(
            user: try #require(UserID("alice")), conversation: "c", person: name, personName: nil, segments: ["s"],
            at: seconds * second)
    }

    @Test("A request is handled at the first scan after it is 120 s old, and not before")
    func age() throws {
        var schedule = SampleSchedule(limits: SampleLimits())
        #expect(schedule.nextScan(after: 0) == nil)
        schedule.add(try request("a", at: 1_001), next: 1)
        #expect(schedule.due(at: 1_120 * second) == nil)
        #expect(schedule.nextScan(after: 1_001 * second) == 1_125 * second)
        #expect(schedule.due(at: 1_125 * second)?.next == 1)
        #expect(schedule.nextScan(after: 1_126 * second) == 1_140 * second)
        schedule.removeFirst()
        #expect(schedule.nextScan(after: 1_126 * second) == nil)
    }

    @Test("Requests keep their order; one that is asked again while it waits has one outcome")
    func order() throws {
        var schedule = SampleSchedule(limits: SampleLimits())
        schedule.add(try request("a", at: 0), next: 1)
        schedule.add(try request("b", at: 100), next: 2)
        schedule.add(try request("a", at: 101), next: 3)
        #expect(schedule.pending.map(\.isRepeated) == [false, false, true])
        #expect(schedule.due(at: 130 * second)?.next == 1)
        schedule.removeFirst()
        #expect(schedule.due(at: 130 * second) == nil)
    }

    @Test("A request that was tried waits for its next try, and asking again meanwhile adds none")
    func tried() throws {
        var schedule = SampleSchedule(limits: SampleLimits())
        var again = try request("a", at: 0)
        again.triedAt = 1_000 * second
        schedule.add(again, next: 1)
        schedule.add(try request("b", at: 900), next: 2)
        #expect(schedule.due(at: 1_059 * second) == nil)
        #expect(schedule.nextScan(after: 1_000 * second) == 1_065 * second)
        #expect(schedule.due(at: 1_065 * second)?.next == 1)
        // The one that is passed as a repetition does not answer for the copy that goes behind it.
        var repeated = SampleSchedule(limits: SampleLimits())
        repeated.add(try request("a", at: 0), next: 1)
        repeated.add(try request("a", at: 10), next: 2)
        repeated.removeFirst()
        repeated.add(again, next: 3)
        #expect(repeated.pending.map(\.isRepeated) == [true, false])
    }

    @Test("Beyond the bound the oldest is handled early; a clock that is hours wrong holds nobody up")
    func bounds() throws {
        var limits = SampleLimits()
        limits.pendingMaximum = 2
        var schedule = SampleSchedule(limits: limits)
        for name in ["a", "b"] { schedule.add(try request(name, at: 10), next: 1) }
        #expect(schedule.due(at: 11 * second) == nil)
        schedule.add(try request("c", at: 10), next: 3)
        #expect(schedule.due(at: 11 * second) != nil)
        var early = SampleSchedule(limits: SampleLimits())
        early.add(try request("a", at: 10_000), next: 1)
        #expect(early.due(at: 11 * second) != nil)
    }
}
