package import EarshotModel
import FoundationEssentials

/// The JSON bodies of both dialects, and the rule for those that are too large.
///
/// `transcript.segments` is split by segments; a conversation that is too large is told without its segments, which
/// all were delivered before; anything else that is too large is refused (docs/webhooks.md).
package struct WebhookBody: Sendable {
    private let bytesMaximum: Int

    /// A builder with the limit on a body's bytes.
    package init(_ limits: DeliveryLimits) { bytesMaximum = limits.bodyBytesMaximum }

    /// The bodies of an event, in order; one unless it was split.
    ///
    /// - Returns: Nothing when the dialect has no form for it; `nil` for a part that is too large.
    package func bodies(of event: SessionEvent, in dialect: WebhookDialect) -> [String?] {
        guard let type = WebhookEventType(event.type) else { return [] }
        guard type == .transcriptSegments else {
            guard dialect == .standard else { return [] }
            return [bounded(Self.standard(type, event, Self.data(of: event)))]
        }
        return split(event, event.segments ?? [], first: event.firstSegment ?? 0, in: dialect)
    }

    private func split(
        _ event: SessionEvent, _ segments: [TranscriptSegment], first: UInt64, in dialect: WebhookDialect
    ) -> [String?] {
        let body: String
        switch dialect {
        case .omi: body = Self.json(OmiTranscript(sessionID: event.uid, segments: segments))
        case .standard:
            var data = Self.data(of: event)
            data.segments = segments
            data.firstSegment = first
            body = Self.standard(.transcriptSegments, event, data)
        }
        if body.utf8.count <= bytesMaximum { return [body] }
        guard segments.count > 1 else { return [nil] }
        let half = segments.count / 2
        return split(event, Array(segments[..<half]), first: first, in: dialect)
            + split(event, Array(segments[half...]), first: first + UInt64(half), in: dialect)
    }

    /// The body of an event about a conversation, from the record.
    ///
    /// - Returns: `nil` when it is too large even without segments and parts.
    package func body(
        of event: SessionEvent, _ conversation: ConversationSnapshot, in dialect: WebhookDialect
    ) -> String? {
        var conversation = conversation
        conversation.language = event.language ?? conversation.language
        let whole = bounded(Self.conversation(event, conversation, conversation.segments, in: dialect))
        return whole ?? bounded(Self.conversation(event, conversation, nil, in: dialect))
            ?? bounded(Self.conversation(event, conversation, nil, withParts: false, in: dialect))
    }

    /// The body that tells an owner that one of its endpoints was disabled.
    package static func endpointDisabled(_ endpoint: DisabledEndpoint, at time: Int64) -> String {
        var data = EventData()
        data.endpointID = endpoint.id.description
        data.url = endpoint.url
        data.reason = endpoint.reason
        return json(Envelope(type: .endpointDisabled, timestamp: ISOTime.text(time), data: data))
    }

    /// The body of a test, in the endpoint's dialect.
    ///
    /// An Omi endpoint gets a transcript of one segment, or, when it takes conversations and no transcripts, a
    /// conversation of one: its receiver knows nothing else.
    package static func test(_ endpoint: WebhookEndpoint, at time: Int64) -> String {
        let message = "This is a test of your endpoint."
        switch endpoint.dialect {
        case .standard:
            var data = EventData()
            data.endpointID = endpoint.id.description
            data.message = message
            return json(Envelope(type: .endpointTest, timestamp: ISOTime.text(time), data: data))
        case .omi:
            let id = UniqueID.timeOrdered(at: time)
            let segment = TranscriptSegment(id: id, text: message, start: 0, end: 2, sttProvider: "test")
            let uid = endpoint.owner.name
            if endpoint.events.contains(.transcriptSegments) || !endpoint.events.contains(.conversationCompleted) {
                return json(OmiTranscript(sessionID: uid, segments: [segment]))
            }
            let conversation = ConversationSnapshot(
                id: id.description, uid: uid, startedAt: time, finishedAt: time, segments: [segment])
            return json(OmiConversation(conversation, segments: [segment]))
        }
    }

    private func bounded(_ body: String) -> String? { body.utf8.count <= bytesMaximum ? body : nil }

    // MARK: The standard dialect

    private struct Envelope: Encodable {
        let type: WebhookEventType
        let timestamp: String
        let data: EventData
    }

    private static func standard(_ type: WebhookEventType, _ event: SessionEvent, _ data: EventData) -> String {
        json(Envelope(type: type, timestamp: ISOTime.text(event.time), data: data))
    }

    private static func data(of event: SessionEvent) -> EventData {
        var data = EventData()
        data.uid = event.uid
        data.sessionID = event.session
        data.conversationID = event.conversation
        switch event.type {
        case .sessionStarted:
            data.codec = event.codec
            data.sampleRate = event.sampleRate
            data.language = event.language
            data.source = event.source
            data.conversationStartedAt = event.conversationStart.map(ISOTime.text)
            data.continuesConversation = event.continuesConversation
        case .sessionEnded:
            data.reason = event.reason
            data.frames = event.frames
            data.audioSeconds = event.audioSeconds
            data.corruptFrames = event.corruptFrames
        case .audioStored: data.audio = event.audio.map(EventData.StoredPart.init)
        case .speakerSampleStored, .speakerSampleRejected:
            data.requestID = event.sample?.request
            data.personID = event.sample?.person
            data.segmentIds = event.sample?.segments
            data.outcome = event.sample?.outcome.rawValue
            data.object = event.sample?.object
            data.seconds = event.sample?.seconds
        case .endpointDisabled:
            data.endpointID = event.endpoint
            data.reason = event.reason
        case .transcriptSegments, .conversationCompleted, .conversationUpdated, .endpointAttempts, .sessionUsage: break
        }
        return data
    }

    private static func conversation(
        _ event: SessionEvent, _ conversation: ConversationSnapshot, _ segments: [TranscriptSegment]?,
        withParts: Bool = true, in dialect: WebhookDialect
    ) -> String {
        var conversation = conversation
        if !withParts { conversation.audio = [] }
        guard dialect == .standard else { return json(OmiConversation(conversation, segments: segments)) }
        var data = EventData()
        data.uid = conversation.uid
        data.conversationID = conversation.id
        data.startedAt = ISOTime.text(conversation.startedAt)
        data.finishedAt = ISOTime.text(conversation.finishedAt)
        data.durationSeconds = Double(conversation.finishedAt - conversation.startedAt) / 1_000_000
        data.speakers = speakers(in: conversation.segments)
        data.language = conversation.language
        data.source = conversation.source
        data.segmentCount = conversation.segments.count
        data.segmentsOmitted = segments == nil
        data.segments = segments
        data.audioParts = conversation.audio.map(EventData.StoredPart.init)
        data.audioPartsOmitted = withParts ? nil : true
        data.audioPending = event.audioPending ?? false
        return standard(WebhookEventType(event.type) ?? .conversationCompleted, event, data)
    }

    /// Everybody who speaks, in the order of first words; one whom segments call by two names counts as two.
    private static func speakers(in segments: [TranscriptSegment]) -> [EventData.Speaker] {
        var speakers: [EventData.Speaker] = []
        for segment in segments {
            let index =
                speakers.firstIndex {
                    $0.speaker == segment.speaker && $0.personID == segment.personID && $0.isUser == segment.isUser
                } ?? speakers.endIndex
            if index == speakers.endIndex {
                speakers.append(
                    EventData.Speaker(
                        speaker: segment.speaker, speakerID: segment.speakerID, personID: segment.personID,
                        isUser: segment.isUser))
            }
            speakers[index].segmentCount += 1
            speakers[index].seconds += max(0, segment.end - max(0, segment.start))
        }
        return speakers
    }

    // MARK: The dialect of Omi

    private struct OmiTranscript: Encodable {
        /// The contract's name for it; its value is the user's id (omi.md 4.1).
        let sessionID: String
        let segments: [TranscriptSegment]
    }

    static func json(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        // No number of a body should be anything but finite; a sum that is may cost its reader one body, not everybody
        // the worker.
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        guard let data = try? encoder.encode(value) else { preconditionFailure("all of a body can be encoded") }
        return String(decoding: data, as: UTF8.self)
    }
}
