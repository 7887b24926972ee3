import EarshotModel
import Foundation
import Testing
import WebhookDelivery

/// Bodies of the standard dialect, as they are built, against the files of `docs/schemas`.
///
/// Python's `jsonschema` judges. What a schema describes must also occur: each property and each value of a list stands
/// in some body here, so that no schema says more than is sent.
@Suite struct EventSchemaTests {
    /// A body, and the event whose schema it follows.
    private struct Rendered: Encodable {
        var type: WebhookEventType
        var body: String
    }

    /// What the Python programs read.
    private struct Input: Encodable {
        var schemas = EventSchemaTests.schemas
        var document = "\(Python.repository)/docs/webhooks.md"
        var bodies: [Rendered] = []
    }

    private static let schemas = "\(Python.repository)/docs/schemas"
    /// Windows of live audio are no JSON.
    private static let types = WebhookEventType.allCases.filter { $0 != .audioBytes }

    private let session = SessionID(UniqueID(high: 0x01a1_fd58_8972_7be7, low: 0x9ffa_70d5_c949_5854))
    private let time: Int64 = 1_795_251_800_114_999
    private let bodies = WebhookBody(DeliveryLimits())
    /// Has room for a segment or two.
    private let smallBodies: WebhookBody = {
        var limits = DeliveryLimits()
        limits.bodyBytesMaximum = 1_000
        return WebhookBody(limits)
    }()

    // MARK: Bodies

    /// Bodies of an event with all that it may say, and with the least.
    private func rendered(_ type: WebhookEventType) throws -> [String] {
        switch type {
        case .sessionStarted: try started()
        case .sessionEnded: try ended()
        case .transcriptSegments: try transcripts()
        case .conversationCompleted: try conversations(.conversationCompleted)
        case .conversationUpdated: try conversations(.conversationUpdated)
        case .audioStored: try parts.flatMap { part in try render(.audioStored) { $0.audio = part } }
        case .speakerSampleStored: try samples(.speakerSampleStored, [.stored])
        case .speakerSampleRejected:
            try samples(.speakerSampleRejected, SpeakerSampleResult.Outcome.allCases.filter { $0 != .stored })
        case .endpointDisabled: [WebhookBody.endpointDisabled(disabled, at: time)]
        case .endpointTest: [WebhookBody.test(endpoint, at: time)]
        case .audioBytes: []
        }
    }

    private func event(_ kind: SessionEvent.Kind, _ change: (inout SessionEvent) -> Void) -> SessionEvent {
        var event = SessionEvent(
            type: kind, group: "test", uid: "alice", session: session, conversation: "meeting:42", time: time,
            ordinal: 1)
        change(&event)
        return event
    }

    private func render(
        _ kind: SessionEvent.Kind, _ change: (inout SessionEvent) -> Void
    ) throws -> [String] {
        let built = bodies.bodies(of: event(kind, change), in: .standard)
        #expect(!built.isEmpty)
        return try built.map { body in try #require(body) }
    }

    private func started() throws -> [String] {
        try AudioCodec.allCases.flatMap { codec in
            try ["omi", nil].flatMap { source in
                try render(.sessionStarted) { event in
                    event.codec = codec.rawValue
                    event.sampleRate = codec.sampleRates.last
                    event.language = "en-US"
                    event.source = source
                    event.gateway = "gateway-0"
                    event.conversationStart = time
                    event.continuesConversation = source == nil
                }
            }
        }
    }

    private func ended() throws -> [String] {
        try EndReason.allCases.flatMap { reason in
            try [UInt64(0), 2_215].flatMap { frames in
                try render(.sessionEnded) { event in
                    event.reason = reason.name
                    event.frames = frames
                    event.audioSeconds = Double(frames) / 50
                    event.corruptFrames = frames / 100
                }
            }
        }
    }

    /// The least a segment has, as back ends send it; and everything.
    private var segments: [TranscriptSegment] {
        let id = SegmentID.of(session: session, ordinal: 0)
        var least = TranscriptSegment(id: id, text: "", start: -1, end: -1, sttProvider: nil)
        least.id = "seg 1"
        var most = TranscriptSegment(
            id: id, text: "It was the \"best\" of times. 😀", start: 0.52, end: 2, sttProvider: "moonshine-tiny-en",
            language: "en")
        most.personID = "p-7f3a"
        most.speakerLabelSource = "manual"
        most.speakerMatchSource = "voice"
        most.speakerIdentityStatus = "not_user"
        most.speakerIDScope = "session"
        most.isUser = true
        most.translations = [SegmentTranslation(lang: "de", text: "Es war die beste der Zeiten.")]
        return [most, least]
    }

    private func transcripts() throws -> [String] {
        let all = Array(repeating: segments, count: 4).flatMap(\.self)
        let whole = try render(.transcriptSegments) { event in
            event.firstSegment = 7
            event.segments = all
        }
        let large = event(.transcriptSegments) { event in
            event.firstSegment = 7
            event.segments = all
        }
        let split = try smallBodies.bodies(of: large, in: .standard).map { body in try #require(body) }
        #expect(whole.count == 1)
        #expect(split.count > 1)
        return whole + split
    }

    private func conversations(_ kind: SessionEvent.Kind) throws -> [String] {
        let completion = event(kind) { $0.conversationEnd = time }
        let least = ConversationSnapshot(id: "meeting:42", uid: "alice", startedAt: time, finishedAt: time)
        var most = least
        most.language = "en"
        most.source = "omi"
        most.segments = segments
        most.audio = parts
        var large = least
        large.segments = Array(repeating: segments, count: 4).flatMap(\.self)
        // Two days in parts of a minute.
        var long = large
        long.audio = Array(repeating: parts, count: 700).flatMap(\.self)
        let built = [
            bodies.body(of: completion, least, in: .standard), bodies.body(of: completion, most, in: .standard),
            smallBodies.body(of: completion, large, in: .standard), bodies.body(of: completion, long, in: .standard),
        ]
        let last = try #require(built.last ?? nil)
        #expect(last.contains(#""audio_parts":[],"audio_parts_omitted":true"#))
        #expect(bodies.body(of: completion, long, in: .omi)?.contains(#""audio_files":[]"#) == true)
        return try built.map { body in try #require(body) }
    }

    private var parts: [StoredAudioPart] {
        StoredAudioPart.Format.allCases.flatMap { format in
            [false, true].map { isEncrypted in
                StoredAudioPart(
                    part: 0, firstSequence: 0, lastSequence: 2_214, object: "audio/alice/meeting:42/000000.ogg",
                    format: format, isEncrypted: isEncrypted, bytes: 181_204,
                    sha256: String(repeating: "0f", count: 32), sampleRate: 16_000, captureStart: time,
                    captureEnd: time + 44_300_000, seconds: 44.3)
            }
        }
    }

    private func samples(
        _ kind: SessionEvent.Kind, _ outcomes: [SpeakerSampleResult.Outcome]
    ) throws -> [String] {
        try outcomes.flatMap { outcome in
            try render(kind) { event in
                event.sample = SpeakerSampleResult(
                    request: UniqueID.derived(from: session.value, name: "request").description, person: "p-7f3a",
                    segments: ["seg 1"], outcome: outcome, object: outcome == .stored ? "alice/p-7f3a.wav" : nil,
                    seconds: outcome == .stored ? 14 : nil)
            }
        }
    }

    private var disabled: DisabledEndpoint {
        DisabledEndpoint(
            id: endpoint.id, owner: endpoint.owner, url: URLQuery.withoutSecrets(endpoint.url),
            reason: "answered 410 Gone")
    }

    private var endpoint: WebhookEndpoint {
        WebhookEndpoint(
            id: .timeOrdered(at: time), owner: .app("Note Taker"), url: "https://example.com/hook?token=secret",
            events: [.endpointDisabled])
    }

    // MARK: Checks

    /// Reads the input and the schemas, and collects problems.
    private static let prologue = #"""
        import json, re, sys
        from pathlib import Path
        from jsonschema import Draft202012Validator as Validator
        given = json.load(open(sys.argv[1]))
        schemas = {p.stem: json.loads(p.read_text("utf-8")) for p in Path(given["schemas"]).glob("*.json")}
        problems = []
        def check(kind, instance, what):
            for error in Validator(schemas[kind], format_checker=Validator.FORMAT_CHECKER).iter_errors(instance):
                problems.append(f"{what} of {kind}: {error.json_path}: {error.message[:300]}")

        """#

    private static let epilogue = #"""

        print("; ".join(problems[:10]) or "valid")
        """#

    @Test("Every event that is sent as JSON has a schema, and every schema is an event's")
    func complete() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: Self.schemas)
        #expect(files.sorted() == Self.types.map { "\($0.rawValue).json" }.sorted())
    }

    @Test("The schemas agree with each other, and with their examples and those of docs/webhooks.md")
    func examples() async throws {
        let program = #"""
            shared = {}
            for kind, schema in schemas.items():
                Validator.check_schema(schema)
                if schema["title"] != kind or not schema.get("examples"):
                    problems.append(f"{kind} has another title, or no example")
                for example in schema.get("examples", []):
                    check(kind, example, "an example")
                for name, definition in schema.get("$defs", {}).items():
                    if shared.setdefault(name, definition) != definition:
                        problems.append(f"{name} is something else in {kind}")
            shown = set()
            for block in re.findall(r"^```json\n(.*?)^```", Path(given["document"]).read_text("utf-8"), re.M | re.S):
                rest = block.lstrip()
                while rest:
                    example, end = json.JSONDecoder().raw_decode(rest)
                    rest = rest[end:].lstrip()
                    shown.add(example["type"])
                    check(example["type"], example, "the document's example")
            for kind in sorted(set(schemas) - shown):
                problems.append(f"the document shows no {kind}")
            """#
        let verdict = try await Python.run(Self.prologue + program + Self.epilogue, input: Input())
        #expect(verdict == "valid")
    }

    @Test("What is sent is what the schemas describe, no more and no less")
    func bodiesFollowSchemas() async throws {
        var input = Input()
        for type in Self.types {
            input.bodies += try rendered(type).map { body in Rendered(type: type, body: body) }
        }
        #expect(Set(input.bodies.map(\.type)) == Set(Self.types))
        let program = #"""
            described, seen = set(), set()
            def walk(root, schema, value, path):
                if "$ref" in schema:
                    walk(root, root["$defs"][schema["$ref"].rsplit("/", 1)[1]], value, path)
                for key, inner in schema.get("properties", {}).items():
                    described.add((path, key))
                    if key in value:
                        seen.add((path, key))
                        walk(root, inner, value[key], f"{path}.{key}")
                for item in value if "items" in schema else []:
                    walk(root, schema["items"], item, f"{path}[]")
                if "enum" in schema:
                    described.update((path, option) for option in schema["enum"])
                    seen.add((path, value))
            for item in given["bodies"]:
                kind, body = item["type"], json.loads(item["body"])
                check(kind, body, "a body")
                walk(schemas[kind], schemas[kind], body, kind)
                wider = {**body, "data": {**body["data"], "more": 1}}
                if Validator(schemas[kind]).is_valid(wider) or Validator(schemas[kind]).is_valid({**body, "more": 1}):
                    problems.append(f"{kind} allows more than it describes")
            for path, name in sorted(described - seen):
                problems.append(f"{path} never has {name}")
            """#
        let verdict = try await Python.run(Self.prologue + program + Self.epilogue, input: input)
        #expect(verdict == "valid")
    }
}
