package import EarshotModel
package import NIOCore

/// One entry as it stands in a stream: its id and its one field's bytes.
package struct StreamEntry: Equatable, Sendable {
    package let position: StreamPosition
    package let payload: ByteBuffer

    /// Makes an entry.
    package init(position: StreamPosition, payload: ByteBuffer) {
        self.position = position
        self.payload = payload
    }
}
