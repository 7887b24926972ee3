import FoundationEssentials
import HTTPTransport

/// The answer of `POST /v2/embedding` (omi.md section 6): a JSON array, or an object with one.
struct VoiceServiceReply {
    /// The embedding, of length 1.
    let embedding: [Float]

    /// Largest answer: 1,024 numbers with all their digits.
    static let bytesMaximum = 64 * 1024

    private struct Object: Decodable {
        let embedding: [Float]
    }

    /// Reads a response.
    ///
    /// - Throws: `RecognitionError`: `rejectedInput` when the service refuses this audio, `unavailable` otherwise: who
    ///   answers 404 or a page of HTML is not the service, or not yet.
    init(_ response: HTTPResponse) throws(RecognitionError) {
        switch response.status {
        case 200..<300: break
        case 400, 413, 415, 422:
            throw RecognitionError(.rejectedInput, "the voice service refused the audio with \(response.status)")
        default: throw RecognitionError(.unavailable, "the voice service answered \(response.status)")
        }
        let data = Data(response.body)
        let decoder = JSONDecoder()
        let numbers =
            (try? decoder.decode([Float].self, from: data)) ?? (try? decoder.decode(Object.self, from: data))?.embedding
        guard let numbers, (1...VoiceLimits.dimensionsMaximum).contains(numbers.count) else {
            throw RecognitionError(
                .unavailable,
                "the voice service's answer is no JSON array of 1 to \(VoiceLimits.dimensionsMaximum) numbers")
        }
        let length = numbers.reduce(0) { $0 + $1 * $1 }.squareRoot()
        guard length.isFinite, length > 0 else {
            throw RecognitionError(.unavailable, "the voice service's answer has no direction")
        }
        embedding = numbers.map { $0 / length }
    }
}
