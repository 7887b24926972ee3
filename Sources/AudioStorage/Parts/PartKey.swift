import EarshotModel

/// The keys of parts, built from checked ids only.
package enum PartKey {
    /// The media type of what only Earshot, or an Omi back end, can read.
    package static let octets = "application/octet-stream"

    /// Checks the id of a conversation, the one component that others choose freely.
    ///
    /// - Throws: `ObjectStoreError` with `invalidKey` when no part of such a conversation can have a name.
    package static func check(conversation: String) throws(ObjectStoreError) {
        // A whole key would take the id for several components if it held slashes.
        _ = try ObjectKey([conversation])
    }

    /// A native part: `audio/{uid}/{conversation}/{session}/{part}-{first}-{last}.ogg`, with `.enc` when encrypted.
    ///
    /// The number of the part has six digits, so that a listing is in order.
    package static func native(
        _ specification: PartSpecification, frames: ClosedRange<UInt64>
    ) throws(ObjectStoreError) -> ObjectKey {
        let number = String(specification.part)
        let padded = String(repeating: "0", count: max(0, 6 - number.count)) + number
        return try ObjectKey([
            "audio", specification.user.text, specification.conversation, specification.session.description,
            "\(padded)-\(frames.lowerBound)-\(frames.upperBound).ogg\(specification.isEncrypted ? ".enc" : "")",
        ])
    }

    /// A part as upstream names it (omi.md section 5): `chunks/{uid}/{conversation}/{seconds}.batch.bin` or `.enc`.
    ///
    /// - Parameters:
    ///   - specification: the part.
    ///   - milliseconds: Unix time of its first sample.
    /// - Returns: the key.
    /// - Throws: `ObjectStoreError` when a component may not stand in a key.
    package static func omi(
        _ specification: PartSpecification, milliseconds: Int64
    ) throws(ObjectStoreError) -> ObjectKey {
        let fraction = String(1_000 + milliseconds % 1_000).dropFirst()
        return try ObjectKey([
            "chunks", specification.user.text, specification.conversation,
            "\(milliseconds / 1_000).\(fraction).batch.\(specification.isEncrypted ? "enc" : "bin")",
        ])
    }
}
