/// Refuses headers that would break a request in two, or that are the transport's to write.
enum RequestCheck {
    /// Fields that frame a message; a second one would let two servers disagree about where it ends.
    private static let reserved = ["content-length", "transfer-encoding", "connection", "expect", "upgrade", "te"]

    static func check(_ headers: [HTTPHeader]) throws(HTTPTransportError) {
        for header in headers {
            guard !header.name.isEmpty, header.name.utf8.allSatisfy(isTokenByte) else {
                throw HTTPTransportError(
                    .invalidRequest, "a header name is made of letters, digits and !#$%&'*+-.^_`|~ (RFC 9110, 5.1)")
            }
            guard header.value.utf8.allSatisfy({ $0 == 0x09 || $0 >= 0x20 && $0 != 0x7F }) else {
                throw HTTPTransportError(
                    .invalidRequest, "the value of the header \(header.name) has a control character")
            }
            guard !reserved.contains(where: header.name.isEqualIgnoringCase) else {
                throw HTTPTransportError(.invalidRequest, "the header \(header.name) is the transport's own")
            }
        }
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
