internal import CLibOgg

/// Reads Ogg Opus files; damage is an error or a gap, never a crash.
package enum OggOpusReader {
    /// The largest file read: nine hours at 32 kbit/s are 130 MB.
    package static let bytesMax = 256 << 20
    /// The most logical streams behind each other: a day in parts of a minute.
    package static let linksMax = 2_000

    /// Takes a file apart.
    ///
    /// - Throws: `AudioCodecError` with `corruptFile` for what is no Ogg Opus or has lost pages, `tooLarge`, or
    ///   `unsupportedFormat` for other codecs and more than two channels.
    package static func read(_ bytes: [UInt8]) throws(AudioCodecError) -> OggOpusFile {
        guard bytes.count <= bytesMax else {
            throw AudioCodecError(.tooLarge, "the Ogg file has \(bytes.count) bytes; at most \(bytesMax) are allowed")
        }
        var pages = try OggPages(bytes)
        var file = OggOpusFile(links: [])
        var parser: LinkParser?
        while let page = try pages.next() {
            if page.isFirst {
                if let parser { file.links.append(try parser.finish()) }
                guard file.links.count < linksMax else {
                    throw AudioCodecError(.tooLarge, "the Ogg file has more than \(linksMax) streams")
                }
                parser = try LinkParser(page)
            } else {
                guard parser != nil else {
                    throw AudioCodecError(.corruptFile, "the Ogg file does not begin with the start of a stream")
                }
                try parser?.take(page)
            }
        }
        guard let parser else { throw AudioCodecError(.corruptFile, "not an Ogg file: it holds no page") }
        file.links.append(try parser.finish())
        return file
    }
}

/// One logical stream while its pages come in.
private struct LinkParser {
    private var link: OggOpusFile.Link
    private var pageNumber: Int
    private var open: [UInt8] = []
    private var hasTags = false
    private var isEnded = false

    init(_ page: OggPages.Page) throws(AudioCodecError) {
        guard page.segments.count == 1, page.isLastSegmentComplete else {
            throw AudioCodecError(.corruptFile, "the first page of the Ogg stream holds no single packet")
        }
        link = OggOpusFile.Link(
            serial: page.serial, head: try OggOpusHead(decoding: page.segments[0]), comments: [], packets: [],
            endGranule: 0)
        pageNumber = page.number
    }

    mutating func take(_ page: OggPages.Page) throws(AudioCodecError) {
        guard page.serial == link.serial else {
            throw AudioCodecError(.unsupportedFormat, "the Ogg file multiplexes several streams; one is allowed")
        }
        guard page.number == pageNumber + 1 else {
            throw AudioCodecError(
                .corruptFile, "the Ogg file lacks pages: \(page.number) follows \(pageNumber)")
        }
        guard !isEnded else { throw AudioCodecError(.corruptFile, "the Ogg stream goes on behind its end") }
        pageNumber = page.number
        isEnded = page.isLast
        for (index, segment) in page.segments.enumerated() {
            open += segment
            if index < page.segments.count - 1 || page.isLastSegmentComplete { try complete() }
        }
        if page.granule >= 0, hasTags { link.endGranule = Int(page.granule) }
    }

    private mutating func complete() throws(AudioCodecError) {
        defer { open = [] }
        if hasTags {
            link.packets.append(open)
        } else {
            link.comments = try Self.comments(open)
            hasTags = true
        }
    }

    func finish() throws(AudioCodecError) -> OggOpusFile.Link {
        guard hasTags else { throw AudioCodecError(.corruptFile, "the Ogg stream has no OpusTags") }
        guard isEnded, open.isEmpty else { throw AudioCodecError(.corruptFile, "the Ogg file is cut off at its end") }
        return link
    }

    private static func comments(_ bytes: [UInt8]) throws(AudioCodecError) -> [String] {
        let broken = AudioCodecError(.corruptFile, "the OpusTags header is damaged")
        guard bytes.starts(with: "OpusTags".utf8) else { throw broken }
        var position = 8
        func number() throws(AudioCodecError) -> Int {
            guard position + 4 <= bytes.count else { throw broken }
            defer { position += 4 }
            return Int(UInt32(littleEndian: bytes, at: position))
        }
        func text() throws(AudioCodecError) -> String {
            let length = try number()
            guard length <= bytes.count - position else { throw broken }
            defer { position += length }
            return String(decoding: bytes[position..<position + length], as: UTF8.self)
        }
        _ = try text()
        let count = try number()
        guard count <= bytes.count / 4 else { throw broken }
        var comments: [String] = []
        for _ in 0..<count { comments.append(try text()) }
        return comments
    }
}
