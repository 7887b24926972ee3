/// Where an S3-compatible store is, and who writes there.
package struct S3Configuration: Sendable {
    /// `https://host[:port]`, without a path.
    package var endpoint: String
    package var region: String
    package var bucket: String
    package var accessKey: String
    package var secretKey: String
    /// Of temporary credentials.
    package var sessionToken: String?
    /// Whether the bucket is the first part of the path, or of the host's name.
    package var usesPathStyle: Bool

    /// Objects larger than this are written in parts: below, one request is quicker and atomic by itself.
    package var multipartThreshold = 16 << 20
    /// Bytes of such a part; S3 takes no less than 5 MiB, and no more than 10,000 of them.
    package var multipartBytes = 8 << 20
    /// Attempts at a request that failed for a reason that passes; the caller waits longer and comes again.
    package var attemptsMaximum = 4
    /// Time for one attempt, its body included: 16 MiB at 3 Mbit/s take 45 s.
    package var requestTimeout: Duration = .seconds(60)

    /// Makes a configuration.
    ///
    /// - Throws: `ObjectStoreError` with `invalidKey` for an endpoint, region or bucket that cannot be one.
    package init(
        endpoint: String, region: String, bucket: String, accessKey: String, secretKey: String,
        sessionToken: String? = nil, usesPathStyle: Bool = true
    ) throws(ObjectStoreError) {
        let schemes = ["https://", "http://"]
        guard let scheme = schemes.first(where: { endpoint.hasPrefix($0) }),
            case let host = endpoint.dropFirst(scheme.count), !host.isEmpty, host.utf8.allSatisfy(Self.isHostByte)
        else {
            throw ObjectStoreError(.invalidKey, "the S3 endpoint must be https://HOST[:PORT], without a path")
        }
        guard (3...63).contains(bucket.utf8.count), bucket.utf8.allSatisfy(Self.isNameByte),
            bucket.first.map({ $0.isLetter || $0.isNumber }) == true, !bucket.contains("..")
        else {
            throw ObjectStoreError(
                .invalidKey, "the S3 bucket must be 3 to 63 of a-z 0-9 . -, beginning with a letter or digit")
        }
        guard (1...64).contains(region.utf8.count), region.utf8.allSatisfy(Self.isNameByte) else {
            throw ObjectStoreError(.invalidKey, "the S3 region must be 1 to 64 of a-z 0-9 . -")
        }
        self.endpoint = endpoint
        self.region = region
        self.bucket = bucket
        self.accessKey = accessKey
        self.secretKey = secretKey
        self.sessionToken = sessionToken
        self.usesPathStyle = usesPathStyle
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        isNameByte(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            || [UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "_")].contains(byte)
    }

    /// `scheme://`, the host with its port, and what stands before an object's key.
    var address: (origin: String, host: String, pathPrefix: String) {
        let separator = endpoint.firstRange(of: "://")
        let scheme = separator.map { String(endpoint[..<$0.upperBound]) } ?? "https://"
        var host = separator.map { String(endpoint[$0.upperBound...]) } ?? endpoint
        // The port of the scheme is no part of the Host header that is signed.
        for (known, port) in [("https://", ":443"), ("http://", ":80")] where scheme == known && host.hasSuffix(port) {
            host.removeLast(port.count)
        }
        guard !usesPathStyle else { return (scheme + host, host, "/\(bucket)") }
        return ("\(scheme)\(bucket).\(host)", "\(bucket).\(host)", "")
    }
}
