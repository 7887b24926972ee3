import AudioCodecs

/// The body of a `multipart/form-data` request (RFC 7578) with audio as a WAV file: no I/O.
struct WAVUpload {
    let body: [UInt8]
    /// The value of `Content-Type`.
    let contentType: String

    /// Puts a body together.
    ///
    /// - Parameters:
    ///   - samples: Mono audio at 16 kHz; the field `file`.
    ///   - fileName: What the file is called.
    ///   - fields: Further fields.
    ///   - boundary: Characters that are nowhere in the file.
    /// - Throws: `RecognitionError` with `rejectedInput`.
    init(
        _ samples: [Float], fileName: String, fields: [(name: String, value: String)] = [], boundary: String
    ) throws(RecognitionError) {
        var body: [UInt8] = []
        for (name, value) in fields {
            body += Array(
                "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n".utf8)
        }
        body += Array(
            ("--\(boundary)\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\(fileName)\"\r\n"
                + "Content-Type: audio/wav\r\n\r\n").utf8)
        do throws(AudioCodecError) {
            body += try WAVFile(sampleRate: 16_000, samples: PCM.samples(samples)).encoded()
        } catch {
            throw RecognitionError(.rejectedInput, error.message)
        }
        body += Array("\r\n--\(boundary)--\r\n".utf8)
        self.body = body
        contentType = "multipart/form-data; boundary=\(boundary)"
    }

    /// A boundary that no file holds but by a chance of 2^-128.
    static func boundary() -> String {
        "earshot-\(UInt64.random(in: .min ... .max))-\(UInt64.random(in: .min ... .max))"
    }
}
