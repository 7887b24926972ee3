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
    /// - Throws: `RecognitionError`: `unavailable` when the service cannot work now, `rejectedInput` when it refuses the
    ///   audio or answers with something else than an embedding.
    init(_ response: HTTPResponse) throws(RecognitionError) {
        switch response.status {
        case 200..<300: break
        case 408, 429, 500...:
            throw RecognitionError(.unavailable, "the voice service answered \(response.status)")
        default: throw RecognitionError(.rejectedInput, "the voice service refused the audio with \(response.status)")
        }
        let data = Data(response.body)
        let decoder = JSONDecoder()
        let numbers = (try? decoder.decode([Float].self, from: data)) ?? (try? decoder.decode(Object.self, from: data))?.embedding
        guard let numbers, (1...VoiceLimits.dimensionsMaximum).contains(numbers.count) else {
            throw RecognitionError(
                .rejectedInput,
                "the voice service's answer is no JSON array of 1 to \(VoiceLimits.dimensionsMaximum) numbers")
        }
        let length = numbers.reduce(0) { $0 + $1 * $1 }.squareRoot()
        guard length.isFinite, length > 0 else {
            throw RecognitionError(.rejectedInput, "the voice service's answer has no direction")
        }
        embedding = numbers.map { $0 / length }
    }
}
