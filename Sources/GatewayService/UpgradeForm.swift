import NIOHTTP1

/// What RFC 6455, 4.2.1 wants of an upgrade request and NIO does not look at.
enum UpgradeForm {
    /// - Throws: `UpgradeRefusal` that says what the request must be.
    static func check(_ head: HTTPRequestHead) throws(UpgradeRefusal) {
        guard head.method == .GET else {
            throw UpgradeRefusal(
                status: .methodNotAllowed, reason: "malformed", message: "a WebSocket is asked for with GET")
        }
        guard head.version.major > 1 || (head.version.major == 1 && head.version.minor >= 1) else {
            throw UpgradeRefusal(
                status: .upgradeRequired, reason: "malformed", message: "a WebSocket is asked for with HTTP/1.1")
        }
        let keys = head.headers["sec-websocket-key"]
        guard keys.count == 1, isKey(keys[0]) else {
            throw UpgradeRefusal(
                status: .badRequest, reason: "malformed", message: "Sec-WebSocket-Key must be 16 bytes in base64, once")
        }
    }

    /// Whether a text is 16 bytes in base64: 22 digits and two signs of padding.
    static func isKey(_ text: String) -> Bool {
        text.utf8.count == 24 && text.hasSuffix("==") && text.utf8.dropLast(2).allSatisfy(isDigit)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
            true
        default: false
        }
    }
}
