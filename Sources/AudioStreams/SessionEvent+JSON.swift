package import EarshotModel
import FoundationEssentials
package import NIOCore

extension SessionEvent {
    /// The event as it stands in the stream: a JSON object on one line.
    package var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Only a floating-point number that is not finite could fail, and the product makes none.
        guard let data = try? encoder.encode(self) else { preconditionFailure("an event holds only finite numbers") }
        return String(decoding: data, as: UTF8.self)
    }

    /// Reads an event; throws `DecodingError` for anything else.
    package init(json: ByteBuffer) throws {
        self = try JSONDecoder().decode(SessionEvent.self, from: Data(json.readableBytesView))
    }
}
