import HTTPTransport
import Testing

@testable import SpeechRecognition

@Suite("The form of /v1/audio/transcriptions")
struct TranscriptionFormTests {
    @Test("The request has the file and the fields, exactly so")
    func request() throws {
        var configuration = OpenAIRecognizerConfiguration(url: "http://stt:9/base/", key: "sk-1", model: "m")
        configuration.timeout = .seconds(7)
        let request = try TranscriptionForm.request([0, 1, -1], language: "de", configuration, boundary: "B")
        #expect(request.url == "http://stt:9/base/v1/audio/transcriptions")
        #expect(request.totalTimeout == .seconds(7))
        #expect(request.overflow == .fail)
        #expect(request.headers.contains(.init(name: "Authorization", value: "Bearer sk-1")))
        #expect(request.headers.contains(.init(name: "Content-Type", value: "multipart/form-data; boundary=B")))
        let fields = ["response_format": "json", "model": "m", "model_name": "m", "language": "de"]
        let text = String(decoding: request.body, as: UTF8.self)
        for (name, value) in fields {
            #expect(text.contains("--B\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n"))
        }
        #expect(text.hasPrefix("--B\r\n"))
        #expect(text.hasSuffix("\r\n--B--\r\n"))
        let start = try #require(request.body.firstRange(of: Array("audio/wav\r\n\r\n".utf8))).upperBound
        let file = request.body[start...].dropLast("\r\n--B--\r\n".utf8.count)
        #expect(file.count == 44 + 6)
        #expect(file.starts(with: "RIFF".utf8))
        #expect(
            Array(file.suffix(6)) == [0, 0, 0xFF, 0x7F, 0x00, 0x80] || Array(file.suffix(6))[2...3] == [0xFF, 0x7F])
    }

    @Test("No key, no Authorization; no language, no field; the usual spellings of a base URL are one")
    func variants() throws {
        for url in ["https://h", "https://h/", "https://h/v1", "https://h/v1//"] {
            let request = try TranscriptionForm.request(
                [], language: nil, OpenAIRecognizerConfiguration(url: url), boundary: "B")
            #expect(request.url == "https://h/v1/audio/transcriptions")
            #expect(!request.headers.contains { $0.name == "Authorization" })
            #expect(!String(decoding: request.body, as: UTF8.self).contains("name=\"language\""))
        }
        for url in ["https://h/?key=1", "https://h/#x"] {
            #expect(throws: RecognitionError(.rejectedInput, "")) {
                try OpenAIRecognizerConfiguration(url: url).endpoint()
            }
        }
        #expect(!OpenAIRecognizerConfiguration(url: "https://h", key: "sk-1").description.contains("sk-1"))
    }

    @Test("Answers are text, a refusal of the audio, or a failure of the server")
    func answers() throws {
        let fine = HTTPResponse(status: 200, body: Array(#"{"text":"Héllo.","x":1}"#.utf8))
        #expect(try TranscriptionForm.text(fine) == "Héllo.")
        for body in ["", "{}", "[]", #"{"text":1}"#, "text"] {
            #expect(throws: RecognitionError(.unavailable, "")) {
                try TranscriptionForm.text(HTTPResponse(status: 200, body: Array(body.utf8)))
            }
        }
        for status in [400, 413, 415, 422] {
            #expect(throws: RecognitionError(.rejectedInput, "")) {
                try TranscriptionForm.text(HTTPResponse(status: status))
            }
        }
        for status in [201, 301, 401, 403, 404, 429, 500, 503] {
            #expect(throws: RecognitionError(.unavailable, "")) {
                try TranscriptionForm.text(HTTPResponse(status: status))
            }
        }
    }

    @Test("A language tag becomes what servers take")
    func languages() {
        #expect(TranscriptionForm.language("en-US") == "en")
        #expect(TranscriptionForm.language("DE") == "de")
        #expect(TranscriptionForm.language("multi") == nil)
    }
}
