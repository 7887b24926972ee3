import HTTPTransport
import Logging
import Synchronization
import TestSupport
import Testing

@testable import SpeechRecognition

@Suite("A remote recogniser")
struct RemoteRecognizerTests {
    private let logger = Logger(label: "test")

    /// An embedded engine that says so.
    private struct Embedded: SpeechRecognizer {
        let name = "embedded"
        func transcribe(_ samples: [Float], priority: RecognitionPriority) async throws(RecognitionError) -> String {
            priority.kind == .final ? "from here" : "interim"
        }
    }

    /// Runs a body against a recogniser and the server behind it.
    private func with(
        _ handler: @escaping HTTPServer.Handler,
        configure: (inout OpenAIRecognizerConfiguration) -> Void = { _ in },
        _ body: (HTTPServer, OpenAIRecognizer) async throws -> Void
    ) async throws {
        try await HTTPServer.run(handler) { server in
            var configuration = OpenAIRecognizerConfiguration(url: server.url, key: "sk-1", model: "large")
            configure(&configuration)
            let policy = DestinationPolicy.anyAddress(allowsPlainHTTP: true)
            let transport = HTTPTransport(HTTPTransportConfiguration(destinations: policy), logger: logger)
            let recognizer = try OpenAIRecognizer(configuration, exchange: transport, logger: logger)
            try await withThrowingTaskGroup { group in
                group.addTask { await transport.run() }
                try await body(server, recognizer)
                group.cancelAll()
            }
        }
    }

    private func code(
        _ recognizer: some SpeechRecognizer, _ priority: RecognitionPriority = .final
    ) async -> RecognitionError.Code? {
        do throws(RecognitionError) {
            _ = try await recognizer.transcribe([0, 0.5], priority: priority)
            return nil
        } catch {
            return error.code
        }
    }

    @Test("Text comes from the server, interims do not")
    func text() async throws {
        try await with({ _, reply in reply.respond(text: #"{"text":" Hello. "}"#) }) { server, recognizer in
            let recognized = try await recognizer.hearing("en-US").recognize([0], priority: .final)
            #expect(recognized == RecognizedText(text: " Hello. ", provider: "large"))
            #expect(await code(recognizer, .interim) == .superseded)
            let request = try #require(server.requests.first)
            #expect(server.requests.count == 1)
            #expect(request.uri == "/v1/audio/transcriptions")
            #expect(request.header("Authorization") == "Bearer sk-1")
            #expect(String(decoding: request.body, as: UTF8.self).contains("name=\"language\"\r\n\r\nen\r\n"))
        }
    }

    @Test("A server that hangs, breaks or fails makes the recogniser unavailable; one that refuses the audio does not")
    func failures() async throws {
        let answers = Mutex<[@Sendable (HTTPServerReply) -> Void]>([
            { _ in }, { $0.reset() }, { $0.respond(500) }, { $0.respond(text: "no JSON") }, { $0.respond(422) },
        ])
        try await with({ _, reply in answers.withLock { $0.removeFirst() }(reply) }) { configuration in
            configuration.timeout = .milliseconds(300)
            configuration.breaker.failuresMaximum = 100
        } _: { _, recognizer in
            for expected in [
                RecognitionError.Code.unavailable, .unavailable, .unavailable, .unavailable, .rejectedInput,
            ] {
                #expect(await code(recognizer) == expected)
            }
        }
    }

    @Test("After failures in a row the server is left alone, then tried once, and used again when it works")
    func breaker() async throws {
        let works = Mutex(false)
        try await with({ _, reply in
            if works.withLock(\.self) { reply.respond(text: #"{"text":"ok"}"#) } else { reply.respond(503) }
        }) { configuration in
            configuration.breaker.failuresMaximum = 3
            configuration.breaker.openDuration = .milliseconds(500)
        } _: { server, recognizer in
            for _ in 0..<6 { #expect(await code(recognizer) == .unavailable) }
            #expect(server.requests.count == 3)
            works.withLock { $0 = true }
            try await eventually("the breaker to close") { await code(recognizer) == nil }
            #expect(server.requests.count == 4)
        }
    }

    @Test("Requests under way and waiting are bounded; cancelled ones make room")
    func bounds() async throws {
        let slots = RequestSlots(concurrencyMaximum: 1, waitingMaximum: 1)
        try await slots.acquire()
        try await withThrowingTaskGroup(of: RecognitionError.Code?.self) { group in
            group.addTask { await self.code(slots) }
            try await eventually("one to wait") { slots.waitingCount == 1 }
            #expect(await code(slots) == .unavailable)
            group.cancelAll()
            #expect(try await group.next() == .cancelled)
        }
        #expect(slots.waitingCount == 0)
        async let next = code(slots)
        try await eventually("the next to wait") { slots.waitingCount == 1 }
        slots.release()
        #expect(await next == nil)
        slots.release()
        try await slots.acquire()
    }

    private func code(_ slots: RequestSlots) async -> RecognitionError.Code? {
        do throws(RecognitionError) {
            try await slots.acquire()
            return nil
        } catch {
            return error.code
        }
    }

    @Test("The embedded engine stands in, for finals that fail and for interims, and says that it was it")
    func fallback() async throws {
        try await with({ request, reply in
            let isFirst = request.connection == 1
            if isFirst { reply.respond(text: #"{"text":"from there"}"#) } else { reply.respond(500) }
            reply.close()
        }) { _, recognizer in
            let fallback = FallbackRecognizer(recognizer, fallback: Embedded())
            let first = try await fallback.recognize([0], priority: .final)
            #expect(first == RecognizedText(text: "from there", provider: "large"))
            for _ in 0..<10 {
                let next = try await fallback.recognize([0], priority: .final)
                #expect(next == RecognizedText(text: "from here", provider: "embedded"))
            }
            let interim = try await fallback.transcribe([0], priority: .interim)
            #expect(interim == "interim")
        }
    }

    @Test("Languages go where they are heard")
    func languages() throws {
        let exchange = InMemoryHTTPExchange { _ in HTTPResponse(status: 200) }
        let recognizer = try OpenAIRecognizer(
            OpenAIRecognizerConfiguration(url: "https://h", model: "large"), exchange: exchange, logger: logger)
        let embedded = RecognizerSelection(embedded: Embedded())
        let some = RecognizerSelection(embedded: Embedded(), remote: RemoteSpeech(recognizer, languages: ["fr", "de"]))
        let all = RecognizerSelection(embedded: Embedded(), remote: RemoteSpeech(recognizer, languages: []))
        #expect(embedded.recognizer(for: "fr").name == "embedded")
        #expect(some.recognizer(for: "fr-CA") is OpenAIRecognizer)
        #expect(some.recognizer(for: "en") is Embedded)
        #expect(all.recognizer(for: "en-GB") is FallbackRecognizer)
        #expect(all.recognizer(for: "multi") is FallbackRecognizer)
        #expect(all.recognizer(for: "it") is OpenAIRecognizer)
        #expect(["fr", "it", "en", "multi"].map(embedded.hears) == [false, false, true, true])
        #expect(["fr", "it", "en", "multi"].map(some.hears) == [true, false, true, true])
        #expect(["fr", "it", "en", "multi"].map(all.hears) == [true, true, true, true])
        #expect(!all.hasInterims(for: "it"))
        #expect(all.hasInterims(for: "en"))
        #expect(embedded.hasInterims(for: "it"))
    }
}
