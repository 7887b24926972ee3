import EarshotModel
import PostgresClient

/// All that is known of a run when it is over.
struct Evidence: Sendable {
    let stage: Stage
    let recordings: [Recording]
    /// Undisturbed sessions, one for each device's recording.
    let calm: [SessionOutcome]
    let outcomes: [SessionOutcome]
    /// What native devices did, each in a chain of sessions.
    let uploads: [NativeOutcome]
    let events: EventTap.Log
    /// The faults that took effect, and how many did not.
    let tally: FaultTally
    /// The Unix µs at which the run's clock stood at 0.
    let zero: Int64
    let quiet: QuietWatch.Report
    let descriptorsBefore: [String: Int]
    let descriptorsAfter: [String: Int]
    let receiver: WebhookReceiver
    /// Why the webhook receiver is not registered, or nil.
    let receiverMissing: String?
    /// Requests for samples that were made, by their ids.
    let samples: [SpeakerSampleRequest]

    /// Which session continues which.
    var chains: SessionChains { SessionChains(events.events) }

    /// All sessions that devices know of.
    var knownSessions: Set<String> { Set(sessions.keys).union(uploads.flatMap(\.sessions)) }

    /// The sessions of devices that are not native.
    var sessions: [String: SessionOutcome] {
        let named = (calm + outcomes).compactMap { outcome in outcome.session.map { ($0, outcome) } }
        return Dictionary(named, uniquingKeysWith: { first, _ in first })
    }

    /// A Unix time in µs on the run's clock.
    func seconds(_ time: Int64) -> Double { Double(time - zero) / 1e6 }

    /// Events of a kind by their session.
    func events(_ type: SessionEvent.Kind) -> [String: [SessionEvent]] {
        Dictionary(grouping: events.events.filter { $0.type == type }, by: \.session)
    }

    /// Whether a table is there.
    func hasTable(_ name: String) async throws -> Bool {
        try await stage.record.query("SELECT 1 FROM information_schema.tables WHERE table_name = \(name)").isEmpty
            == false
    }

    /// Whether speech of a device may have been cut in a time.
    func mayHaveBeenCut(device: Int, from began: Double, to ended: Double) -> Bool {
        // A stall shows for as long as what it has held up takes to be caught up with.
        let aftermath = 15.0
        let gateway = "gateway-\(device % max(1, stage.fleet.gatewayPorts.count))"
        return tally.effects.contains { effect in
            let fault = effect.fault
            return fault.cutsSpeech && effect.began < ended && effect.ended + aftermath > began
                && (fault.target == "redis" || fault.target.hasPrefix("transcript") || fault.target == gateway
                    || fault.target == "device-\(device)")
        }
    }
}
