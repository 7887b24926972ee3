import HTTPTransport
import Logging
import TestSupport
import Testing

@testable import SpeechRecognition

@Suite("A server we did not write", .timeLimit(.minutes(5)))
struct WhisperServerTests {
    @Test("faster-whisper-server transcribes recorded speech")
    func transcription() async throws {
        let logger = Logger(label: "test")
        let policy = DestinationPolicy.anyAddress(allowsPlainHTTP: true)
        let transport = HTTPTransport(HTTPTransportConfiguration(destinations: policy), logger: logger)
        try await withThrowingTaskGroup { group in
            group.addTask { await transport.run() }
            let server = try await WhisperServer(transport)
            defer { server.stop() }
            var configuration = OpenAIRecognizerConfiguration(url: server.url, key: "any", model: "tiny")
            configuration.timeout = .seconds(120)
            let recognizer = try OpenAIRecognizer(configuration, exchange: transport, logger: logger).hearing("en-US")
            let clip = try SpeechClip.beckett()
            let recognized = try await recognizer.recognize(clip.samples, priority: .final)
            #expect(recognized.provider == "tiny")
            var words = WordErrors()
            words.add(said: clip.words, heard: recognized.text)
            #expect(words.rate < 0.1, "\(recognized.text)")
            group.cancelAll()
        }
    }
}
