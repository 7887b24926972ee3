import FoundationEssentials
import HTTPTransport

/// The request and the answer of `POST /v1/audio/transcriptions`: no I/O.
enum TranscriptionForm {
    /// Largest answer: 30 s of speech are under 1 KB of text.
    static let responseBytesMaximum = 256 * 1024

    private struct Answer: Decodable {
        let text: String
    }

    /// The `multipart/form-data` request (RFC 7578) with the utterance as a WAV file.
    ///
    /// - Parameters:
    ///   - samples: Mono audio at 16 kHz.
    ///   - language: ISO 639-1, or nil to have the server find out.
    ///   - configuration: The server.
    ///   - boundary: Characters that are nowhere in the file.
    /// - Returns: The request.
    /// - Throws: `RecognitionError` with `rejectedInput`.
    static func request(
        _ samples: [Float], language: String?, _ configuration: OpenAIRecognizerConfiguration, boundary: String
    ) throws(RecognitionError) -> HTTPRequest {
        var fields = [(name: "response_format", value: "json"), (name: "model", value: configuration.model)]
        // What `faster-whisper-server` reads in place of `model`; others ignore it.
        fields.append((name: "model_name", value: configuration.model))
        if let language { fields.append((name: "language", value: language)) }
        let upload = try WAVUpload(samples, fileName: "utterance.wav", fields: fields, boundary: boundary)

        var request = HTTPRequest(.post, try configuration.endpoint(), body: upload.body)
        request.headers = [
            HTTPHeader(name: "Content-Type", value: upload.contentType),
            HTTPHeader(name: "Accept", value: "application/json"),
        ]
        if let key = configuration.key {
            request.headers.append(HTTPHeader(name: "Authorization", value: "Bearer \(key)"))
        }
        request.totalTimeout = configuration.timeout
        request.responseBytesMaximum = responseBytesMaximum
        request.overflow = .fail
        return request
    }

    /// The text in a response.
    ///
    /// - Throws: `RecognitionError`: `rejectedInput` when the server refuses this audio, `unavailable` otherwise.
    static func text(_ response: HTTPResponse) throws(RecognitionError) -> String {
        switch response.status {
        case 200:
            guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(response.body)) else {
                throw RecognitionError(.unavailable, "the speech-to-text server's answer is not JSON with a `text`")
            }
            return answer.text
        case 400, 413, 415, 422:
            throw RecognitionError(
                .rejectedInput, "the speech-to-text server refused the audio with \(response.status)")
        default:
            throw RecognitionError(.unavailable, "the speech-to-text server answered \(response.status)")
        }
    }

    /// The language to name to a server: the first part of a BCP-47 tag; nil for `multi`.
    static func language(_ tag: String) -> String? {
        let primary = RecognizerSelection.primary(tag)
        return primary == "multi" ? nil : primary
    }
}
