import EarshotModel
import FoundationEssentials

extension TranscriptSegment {
    /// The text frame a device gets: a JSON array of segments.
    static func json(_ segments: [TranscriptSegment]) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(segments) else {
            preconditionFailure("a segment holds only finite numbers")
        }
        return String(decoding: data, as: UTF8.self)
    }
}

extension String {
    /// Without white space at both ends.
    func trimmingWhitespace() -> String {
        String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}
