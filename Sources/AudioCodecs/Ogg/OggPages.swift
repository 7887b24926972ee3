internal import CLibOgg

/// The pages of an Ogg file, found and checked by libogg.
///
/// A page whose checksum is wrong is no page; the gap shows in the numbers of those around it.
@safe
struct OggPages: ~Copyable {
    /// One page, copied.
    struct Page {
        var serial: UInt32
        var number: Int
        var granule: Int64
        var isFirst: Bool
        var isLast: Bool
        /// The packets, or pieces of them, it holds.
        var segments: [[UInt8]]
        /// Whether the last of them ends in this page.
        var isLastSegmentComplete: Bool
    }

    private let sync: UnsafeMutablePointer<ogg_sync_state>

    init(_ bytes: [UInt8]) throws(AudioCodecError) {
        let created = try unsafe Self.makeSync(bytes)
        unsafe sync = created
    }

    private static func makeSync(_ bytes: [UInt8]) throws(AudioCodecError) -> UnsafeMutablePointer<ogg_sync_state> {
        let sync = UnsafeMutablePointer<ogg_sync_state>.allocate(capacity: 1)
        unsafe ogg_sync_init(sync)
        guard let buffer = unsafe ogg_sync_buffer(sync, max(1, bytes.count)) else {
            unsafe ogg_sync_clear(sync)
            unsafe sync.deallocate()
            throw AudioCodecError(.libraryFailure, "libogg has no memory for \(bytes.count) bytes")
        }
        unsafe bytes.withUnsafeBytes { source in
            unsafe UnsafeMutableRawBufferPointer(start: buffer, count: source.count).copyMemory(from: source)
        }
        unsafe ogg_sync_wrote(sync, bytes.count)
        return unsafe sync
    }

    deinit {
        unsafe ogg_sync_clear(sync)
        unsafe sync.deallocate()
    }

    /// The next page, or `nil` at the end.
    mutating func next() throws(AudioCodecError) -> Page? {
        var page = unsafe ogg_page()
        while true {
            switch unsafe ogg_sync_pageout(sync, &page) {
            case 1: return unsafe Self.copy(&page)
            case 0: return nil
            // Bytes that are no page were skipped.
            default: continue
            }
        }
    }

    private static func copy(_ page: inout ogg_page) -> Page {
        // RFC 3533, section 6: byte 26 counts the lacing values, which follow; 255 means that the packet goes on.
        let header = unsafe UnsafeBufferPointer(start: page.header, count: page.header_len)
        let body = unsafe UnsafeBufferPointer(start: page.body, count: page.body_len)
        let lacing = unsafe header.count > 27 ? Array(header[27...]) : []
        var segments: [[UInt8]] = []
        var start = 0
        var length = 0
        for value in lacing {
            length += Int(value)
            guard value < 255 else { continue }
            unsafe segments.append(Array(body[start..<min(body.count, start + length)]))
            start += length
            length = 0
        }
        if length > 0 { unsafe segments.append(Array(body[start..<min(body.count, start + length)])) }
        return unsafe Page(
            serial: UInt32(bitPattern: ogg_page_serialno(&page)), number: Int(ogg_page_pageno(&page)),
            granule: ogg_page_granulepos(&page), isFirst: ogg_page_bos(&page) != 0, isLast: ogg_page_eos(&page) != 0,
            segments: segments, isLastSegmentComplete: length == 0)
    }
}
