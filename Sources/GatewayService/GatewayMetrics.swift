import AudioStreams
import CoreMetrics
import EarshotModel

/// What a gateway counts; every label is out of a closed set.
struct GatewayMetrics: Sendable {
    let sessions = Gauge(label: "gateway.sessions")
    let connectionsAccepted = Counter(label: "gateway.connections.accepted")
    let sessionsOpened = Counter(label: "gateway.sessions.opened")
    let sessionsResumed = Counter(label: "gateway.sessions.resumed")
    let deadPeers = Counter(label: "gateway.peers.dead")
    let messages = Counter(label: "gateway.messages.received")
    let bytes = Counter(label: "gateway.bytes.received")
    let keepAlives = Counter(label: "gateway.messages.keepalive")
    let emptyMessages = Counter(label: "gateway.messages.empty")
    let illegalPackets = Counter(label: "gateway.frames.illegal")
    let notJSON = Counter(label: "gateway.messages.not_json")
    let unknownText = Counter(label: "gateway.messages.unknown")
    let appends = Counter(label: "gateway.appends")
    let appendsRefused = Counter(label: "gateway.appends.refused")
    let appendsOvertaken = Counter(label: "gateway.appends.overtaken")
    let endsRepeated = Counter(label: "gateway.ends.repeated")
    let endsDropped = Counter(label: "gateway.ends.dropped")
    let framesLost = Counter(label: "gateway.frames.lost")
    let framesRolledBack = Counter(label: "gateway.frames.rolled_back")
    let tailsLost = Counter(label: "gateway.tails.lost")
    let conversationSwitches = Counter(label: "gateway.conversations.switched")
    let resultsDelivered = Counter(label: "gateway.results.delivered")
    let resultsDropped = Counter(label: "gateway.results.dropped")
    let resultGaps = Counter(label: "gateway.results.gaps")
    let slowReaders = Counter(label: "gateway.clients.not_reading")
    let samplesRequested = Counter(label: "gateway.samples.requested")
    let samplesLost = Counter(label: "gateway.samples.lost")
    let backendConnections = Counter(label: "gateway.backend.connections")
    let backendHeartbeats = Counter(label: "gateway.backend.heartbeats")
    let backendUnbound = Counter(label: "gateway.backend.sessions.unbound")
    let backendOddBytes = Counter(label: "gateway.backend.bytes.odd")
    let backendEvents = Counter(label: "gateway.backend.events")
    let backendEventsLost = Counter(label: "gateway.backend.events.lost")
    let backendCompletions = Counter(label: "gateway.backend.completions")
    let loopDelay = Gauge(label: "gateway.loop.delay.seconds")

    func refused(_ reason: String) {
        Counter(label: "gateway.connections.refused", dimensions: [("reason", reason)]).increment()
    }

    func ended(_ reason: EndReason) {
        Counter(label: "gateway.sessions.ended", dimensions: [("reason", reason.name)]).increment()
    }

    func ignored(_ feature: String) {
        Counter(label: "gateway.features.ignored", dimensions: [("feature", feature)]).increment()
    }

    func pressure(_ pressure: AudioAppender.Pressure) {
        Counter(label: "gateway.reading.paused", dimensions: [("cause", pressure.rawValue)]).increment()
    }

    func backendViolation(_ rule: BackendViolation.Rule) {
        Counter(label: "gateway.backend.violations", dimensions: [("rule", rule.rawValue)]).increment()
    }

    func backendOverlap(_ overlap: AudioRuns.Overlap) {
        Counter(label: "gateway.backend.overlaps", dimensions: [("kind", overlap.rawValue)]).increment()
    }
}
