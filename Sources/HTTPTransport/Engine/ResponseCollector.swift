/// Puts a response together from the pieces that arrive, within bounds: no I/O.
struct ResponseCollector {
    /// A bound that was passed.
    enum Excess {
        case headers
        case body
    }

    private let headerBytesMaximum: Int
    private let bodyBytesMaximum: Int
    private(set) var headers: [HTTPHeader] = []
    private(set) var body: [UInt8] = []
    /// Set once a piece was not taken; the transfer ends then.
    private(set) var excess: Excess?
    private var headerBytes = 0
    private var areHeadersComplete = false

    init(headerBytesMaximum: Int, bodyBytesMaximum: Int) {
        self.headerBytesMaximum = headerBytesMaximum
        self.bodyBytesMaximum = max(bodyBytesMaximum, 0)
    }

    /// Takes one line, its end included: a status line, a field, the empty line, a trailer; false past the bound.
    mutating func take(headerLine line: some BidirectionalCollection<UInt8>) -> Bool {
        headerBytes += line.count
        guard headerBytes <= headerBytesMaximum else {
            excess = .headers
            return false
        }
        let end = line.lastIndex { $0 != UInt8(ascii: "\r") && $0 != UInt8(ascii: "\n") }
        guard let end else {
            areHeadersComplete = true
            return true
        }
        if line.starts(with: "HTTP/".utf8), body.isEmpty {
            // An interim response (RFC 9110, 15.2) is followed by another, whose fields are the ones that count.
            headers = []
            areHeadersComplete = false
        } else if !areHeadersComplete, let colon = line.firstIndex(of: UInt8(ascii: ":")) {
            let value = line[line.index(after: colon)..<line.index(after: end)].drop(while: Self.isBlank)
            let last = value.lastIndex { !Self.isBlank($0) }
            headers.append(
                HTTPHeader(
                    name: String(decoding: line[..<colon], as: UTF8.self),
                    value: last.map { String(decoding: value[...$0], as: UTF8.self) } ?? ""))
        }
        return true
    }

    /// Takes decompressed bytes of the body; false when they did not all fit, of which the first are kept.
    mutating func take(body bytes: UnsafeRawBufferPointer) -> Bool {
        let room = bodyBytesMaximum - body.count
        unsafe body.append(contentsOf: bytes.prefix(room))
        if bytes.count > room { excess = .body }
        return bytes.count <= room
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
}
