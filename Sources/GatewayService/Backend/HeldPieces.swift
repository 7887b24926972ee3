import EarshotModel
import NIOCore

/// Audio of a connection that waits to be told its conversation, within bounds; pure.
struct HeldPieces {
    private(set) var pieces: [BackendTimeline.Piece] = []
    private var byteCount = 0
    private var since: NIODeadline?

    var isEmpty: Bool { pieces.isEmpty }

    mutating func append(_ piece: BackendTimeline.Piece, at now: NIODeadline) {
        pieces.append(piece)
        byteCount += piece.pcm.readableBytes
        since = since ?? now
    }

    /// Whether it is too much, or too old, to wait on.
    func isOverdue(at now: NIODeadline, limits: Limits) -> Bool {
        guard let since else { return false }
        return byteCount > limits.backendHeldBytesMaximum || now - since >= TimeAmount(limits.backendHoldMaximum)
    }

    /// Takes everything out.
    mutating func takeAll() -> [BackendTimeline.Piece] {
        defer { self = HeldPieces() }
        return pieces
    }
}
