import NIOCore

/// Makes the bytes of one part in one format.
protocol PartWriter: AnyObject {
    /// Adds a frame that stands for so many samples at the device's rate.
    ///
    /// - Returns: whether the frame was sound; if not, silence of its length stands for it.
    func append(_ frame: ByteBuffer, samples: Int) throws -> Bool
    /// Adds silence, in samples at the device's rate.
    func appendSilence(_ samples: Int) throws
    /// Ends the part.
    func finish() throws -> [UInt8]
}
