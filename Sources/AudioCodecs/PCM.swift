/// Conversions between the shapes of uncompressed mono audio.
package enum PCM {
    /// Returns 16-bit samples for unsigned 8-bit ones, of which 0x80 is silence.
    package static func widen8(_ bytes: some Collection<UInt8>) -> [Int16] {
        bytes.map { (Int16($0) - 128) << 8 }
    }

    /// Returns unsigned 8-bit samples, of which 0x80 is silence, rounded to the nearest.
    package static func narrow8(_ samples: some Collection<Int16>) -> [UInt8] {
        samples.map { UInt8(min(255, ((Int32($0) + 128) >> 8) + 128)) }
    }

    /// Returns the samples of signed 16-bit little-endian bytes.
    ///
    /// - Throws: `AudioCodecError` with `corruptPacket` for an odd number of bytes.
    package static func samples(littleEndian bytes: some Collection<UInt8>) throws(AudioCodecError) -> [Int16] {
        let byteCount = bytes.count
        guard byteCount.isMultiple(of: 2) else {
            throw AudioCodecError(
                .corruptPacket, "16-bit audio has an even number of bytes; these are \(byteCount)")
        }
        return unsafe [Int16](unsafeUninitializedCapacity: byteCount / 2) { samples, count in
            unsafe withContiguousElements(of: bytes) { source in
                unsafe UnsafeMutableRawBufferPointer(samples).copyMemory(from: UnsafeRawBufferPointer(source))
            }
            count = byteCount / 2
            #if _endian(big)
                for index in 0..<count { unsafe samples[index] = Int16(littleEndian: samples[index]) }
            #endif
        }
    }

    /// Returns the signed 16-bit little-endian bytes of samples.
    package static func littleEndianBytes(_ samples: some Collection<Int16>) -> [UInt8] {
        let count = samples.count
        return unsafe [UInt8](unsafeUninitializedCapacity: count * 2) { bytes, byteCount in
            unsafe withContiguousElements(of: samples) { source in
                for index in 0..<count {
                    let sample = unsafe source[index]
                    unsafe bytes[2 * index] = UInt8(truncatingIfNeeded: sample)
                    unsafe bytes[2 * index + 1] = UInt8(truncatingIfNeeded: sample >> 8)
                }
            }
            byteCount = count * 2
        }
    }

    /// Returns samples scaled to the range from -1 to just under 1.
    package static func floats(_ samples: some Collection<Int16>) -> [Float] {
        samples.map { Float($0) * (1 / 32_768) }
    }

    /// Returns 16-bit samples for ones between -1 and 1: rounded, limited to the range, no number as silence.
    package static func samples(_ floats: some Collection<Float>) -> [Int16] {
        floats.map(sample)
    }

    static func sample(_ value: Float) -> Int16 {
        guard !value.isNaN else { return 0 }
        return Int16(max(-32_768, min(32_767, (value * 32_768).rounded())))
    }
}
