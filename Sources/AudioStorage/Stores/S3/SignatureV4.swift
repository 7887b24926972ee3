import Crypto

/// Signs requests by AWS Signature Version 4, in the `Authorization` header.
///
/// After the specification "Signature Version 4 signing process"; held to AWS's published examples by tests.
struct SignatureV4: Sendable {
    /// Who signs, and for what.
    struct Scope: Sendable {
        var accessKey: String
        var secretKey: String
        /// Of temporary credentials; signed and sent along.
        var sessionToken: String?
        var region: String
        var service = "s3"
    }

    /// What is signed; the path and the query are not encoded yet.
    struct Request {
        var method: String
        var path: String
        var query: [(name: String, value: String)] = []
        /// All headers that are signed, `host` among them.
        var headers: [(name: String, value: String)]
        /// SHA-256 of the body, in hexadecimal.
        var payloadHash: String
    }

    private let scope: Scope
    private let time: SigningTime

    init(_ scope: Scope, at microseconds: Int64) {
        self.scope = scope
        time = SigningTime(microseconds)
    }

    /// What `x-amz-date` says.
    var date: String { time.dateAndTime }

    /// The value of the `Authorization` header.
    func authorization(for request: Request) -> String {
        let headers = request.headers.map { (name: $0.name.lowercased(), value: Self.collapsed($0.value)) }
            .sorted { $0.name < $1.name }
        let names = headers.map(\.name).joined(separator: ";")
        let canonical = [
            request.method, Self.encoded(request.path, keepsSlash: true), Self.query(request.query),
            headers.map { "\($0.name):\($0.value)\n" }.joined(), names, request.payloadHash,
        ].joined(separator: "\n")
        let credentialScope = "\(time.date)/\(scope.region)/\(scope.service)/aws4_request"
        let hash = SHA256.hash(data: Array(canonical.utf8)).hexadecimal
        let signed = ["AWS4-HMAC-SHA256", time.dateAndTime, credentialScope, hash].joined(separator: "\n")
        let signature = Self.hexadecimal(Self.hmac(signingKey, signed))
        return "AWS4-HMAC-SHA256 Credential=\(scope.accessKey)/\(credentialScope), SignedHeaders=\(names), "
            + "Signature=\(signature)"
    }

    private var signingKey: [UInt8] {
        [time.date, scope.region, scope.service, "aws4_request"]
            .reduce(Array("AWS4\(scope.secretKey)".utf8)) { Self.hmac($0, $1) }
    }

    private static func hmac(_ key: [UInt8], _ text: String) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: SymmetricKey(data: key)))
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// Without white space around it, and with one space for each run inside.
    private static func collapsed(_ value: String) -> String {
        value.split(whereSeparator: { $0 == " " || $0 == "\t" }).joined(separator: " ")
    }

    /// The query as it is signed and as it is sent: encoded, in the order of the names, then of the values.
    static func query(_ items: [(name: String, value: String)]) -> String {
        items.map { (encoded($0.name, keepsSlash: false), encoded($0.value, keepsSlash: false)) }
            .sorted { $0 < $1 }.map { "\($0)=\($1)" }.joined(separator: "&")
    }

    /// Percent-encodes all but RFC 3986's unreserved characters.
    static func encoded(_ text: String, keepsSlash: Bool) -> String {
        var bytes: [UInt8] = []
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                bytes.append(byte)
            case UInt8(ascii: "/") where keepsSlash: bytes.append(byte)
            default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
