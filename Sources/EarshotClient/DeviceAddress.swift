/// The address of a WebSocket endpoint, taken apart.
package struct DeviceAddress: Equatable {
    let host: String
    let port: Int
    /// Path and query, as the request line has them.
    let target: String

    /// The `Host` header.
    var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == 80 ? name : "\(name):\(port)"
    }

    /// Looks whether a device could connect to a URL.
    ///
    /// - Throws: `DeviceConnectionError` with `invalidAddress` that says what is wrong and what is allowed.
    package static func check(_ url: String) throws(DeviceConnectionError) { _ = try DeviceAddress(url) }

    /// Parses `ws://host[:port][/path][?query]`; an IPv6 address stands in brackets.
    init(_ url: String) throws(DeviceConnectionError) {
        func invalid(_ reason: String) -> DeviceConnectionError {
            DeviceConnectionError(
                .invalidAddress, "“\(url)” \(reason); allowed is ws://host[:port][/path][?query]")
        }
        guard url.lowercased().hasPrefix("ws://") else { throw invalid("does not begin with ws://") }
        let isPlain = url.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
        guard isPlain else { throw invalid("has characters that must be percent-encoded") }
        let rest = url.dropFirst(5)
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        guard !rest.contains("#"), !rest[..<end].contains("@") else {
            throw invalid("has a fragment or a user name")
        }
        let authority = rest[..<end]
        let path = rest[end...]
        target = path.hasPrefix("/") ? String(path) : "/" + path
        var name = authority
        var portText = Substring("80")
        // The colons of an IPv6 address are inside brackets.
        let bracket = authority.lastIndex(of: "]")
        if let colon = authority.lastIndex(of: ":"), colon > bracket ?? authority.startIndex || bracket == nil {
            name = authority[..<colon]
            portText = authority[authority.index(after: colon)...]
        }
        if name.hasPrefix("["), name.hasSuffix("]") { name = name.dropFirst().dropLast() }
        guard !name.isEmpty, !name.contains("["), !name.contains("]") else { throw invalid("names no host") }
        guard let port = UInt16(portText), port > 0 else { throw invalid("has no port between 1 and 65535") }
        host = String(name)
        self.port = Int(port)
    }
}
