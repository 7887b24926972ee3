import Foundation
import HTTPTransport
import Testing

@testable import SpeechRecognition

@Suite("A remote voice service")
struct RemoteVoicesTests {
    private let speech = [Float](repeating: 0.1, count: 16_000)

    private func response(_ status: Int, _ body: String) -> HTTPResponse {
        HTTPResponse(status: status, headers: [], body: Array(body.utf8))
    }

    private func voices(_ exchange: InMemoryHTTPExchange, url: String = "http://127.0.0.1:9/base/") -> RemoteVoices {
        RemoteVoices(RemoteVoiceConfiguration(url: url), exchange: exchange)
    }

    @Test(
        "The request is the contract's, and both forms of answer become an embedding of length 1",
        arguments: [
            "[3, 4]", "{\"embedding\": [3.0, 4.0], \"model\": \"x\"}",
        ])
    func exchange(answer: String) async throws {
        let exchange = InMemoryHTTPExchange { _ in response(200, answer) }
        let embedding = try await voices(exchange).embedding(of: speech)
        #expect(embedding == [0.6, 0.8])
        let request = try #require(exchange.requests.first)
        #expect(request.method == .post)
        #expect(request.url == "http://127.0.0.1:9/base/v2/embedding")
        let type = try #require(request.headers.first { $0.name == "Content-Type" }?.value)
        #expect(type.hasPrefix("multipart/form-data; boundary="))
        let text = String(decoding: request.body, as: UTF8.self)
        #expect(
            text.contains("form-data; name=\"file\"; filename=\"voice.wav\"\r\nContent-Type: audio/wav\r\n\r\nRIFF"))
        #expect(request.body.count > 32_000)
    }

    @Test(
        "Only who refuses the audio has refused it: whatever else is no embedding may be one later",
        arguments: [
            (422, "", true), (400, "", true), (413, "", true), (415, "", true), (503, "", false), (429, "", false),
            (500, "[1]", false), (404, "", false), (401, "", false), (403, "", false), (301, "", false),
            (200, "[]", false), (200, "{}", false), (200, "<html>", false), (200, "[0, 0]", false),
            (200, "[\"a\"]", false),
        ])
    func failures(status: Int, body: String, isRefused: Bool) async {
        let exchange = InMemoryHTTPExchange { _ in response(status, body) }
        let error = await #expect(throws: RecognitionError.self) { try await voices(exchange).embedding(of: speech) }
        #expect(error?.code == (isRefused ? .rejectedInput : .unavailable))
    }

    @Test("More numbers than any engine has are no embedding")
    func size() async {
        let many = "[" + [String](repeating: "1", count: 1_025).joined(separator: ",") + "]"
        let exchange = InMemoryHTTPExchange { _ in response(200, many) }
        let error = await #expect(throws: RecognitionError.self) { try await voices(exchange).embedding(of: speech) }
        #expect(error?.code == .unavailable)
    }

    @Test("Less than half a second is not sent")
    func short() async {
        let exchange = InMemoryHTTPExchange { _ in response(200, "[1]") }
        let error = await #expect(throws: RecognitionError.self) {
            try await voices(exchange).embedding(of: [Float](repeating: 0.1, count: 7_999))
        }
        #expect(error?.code == .rejectedInput)
        #expect(exchange.requests.isEmpty)
    }

    @Test("A service that fails again and again is left alone")
    func breaker() async throws {
        let exchange = InMemoryHTTPExchange { (_) throws(HTTPTransportError) in
            throw HTTPTransportError(.connectFailed, "refused")
        }
        let voices = voices(exchange)
        for _ in 0..<50 {
            let error = await #expect(throws: RecognitionError.self) { try await voices.embedding(of: speech) }
            #expect(error?.code == .unavailable)
        }
        #expect(exchange.requests.count < 50)
    }
}
