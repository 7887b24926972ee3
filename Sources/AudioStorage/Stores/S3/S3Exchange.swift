import Crypto
import EarshotModel
import HTTPTransport

/// One signed request to a bucket, repeated while its failure may pass.
struct S3Exchange: Sendable {
    let configuration: S3Configuration
    let http: any HTTPExchanging
    /// Unix µs, for signatures.
    let now: @Sendable () -> Int64

    private static let errorBytesMax = 64 << 10

    /// What is asked.
    struct Call {
        var method: HTTPRequest.Method
        /// The object's key; empty for the bucket.
        var key = ""
        var query: [(name: String, value: String)] = []
        var headers: [(name: String, value: String)] = []
        var body: [UInt8] = []
        /// Most bytes of the answer.
        var responseBytesMaximum = 1 << 20
        /// Names the object in errors.
        var what: String
    }

    /// Sends a call until it succeeds, fails for good, or has failed often enough.
    ///
    /// - Returns: a response with a status below 300.
    func perform(_ call: Call) async throws(ObjectStoreError) -> HTTPResponse {
        var attempt = 1
        while true {
            let failure: ObjectStoreError
            switch await answer(to: call) {
            case .success(let response) where response.status < 300: return try whole(response, call)
            case .success(let response): failure = ObjectStoreError(response, call.what)
            case .failure(let error): failure = ObjectStoreError(error, call.what)
            }
            guard failure.code == .unavailable, attempt < configuration.attemptsMaximum, !Task.isCancelled else {
                throw failure
            }
            await Backoff.dependency.pause(attempt: attempt)
            attempt += 1
        }
    }

    private func answer(to call: Call) async -> Result<HTTPResponse, HTTPTransportError> {
        do throws(HTTPTransportError) {
            return .success(try await http.send(request(call)))
        } catch {
            return .failure(error)
        }
    }

    private func whole(_ response: HTTPResponse, _ call: Call) throws(ObjectStoreError) -> HTTPResponse {
        guard !response.isTruncated, response.body.count <= call.responseBytesMaximum else {
            throw ObjectStoreError(.tooLarge, "to \(call.what): more than \(call.responseBytesMaximum) bytes came")
        }
        return response
    }

    /// The signed request.
    private func request(_ call: Call) -> HTTPRequest {
        let address = configuration.address
        let path = address.pathPrefix + (call.key.isEmpty && !address.pathPrefix.isEmpty ? "" : "/\(call.key)")
        let hash = SHA256.hash(data: call.body).hexadecimal
        let signature = SignatureV4(
            SignatureV4.Scope(
                accessKey: configuration.accessKey, secretKey: configuration.secretKey, region: configuration.region),
            at: now())
        var headers = call.headers
        headers += [("x-amz-content-sha256", hash), ("x-amz-date", signature.date)]
        if let token = configuration.sessionToken { headers.append(("x-amz-security-token", token)) }
        let authorization = signature.authorization(
            for: SignatureV4.Request(
                method: call.method.rawValue, path: path, query: call.query,
                headers: headers + [("host", address.host)], payloadHash: hash))
        var url = address.origin + SignatureV4.encoded(path, keepsSlash: true)
        if !call.query.isEmpty { url += "?" + SignatureV4.query(call.query) }
        var request = HTTPRequest(
            call.method, url,
            headers: (headers + [("Authorization", authorization)]).map { HTTPHeader(name: $0.name, value: $0.value) },
            body: call.body)
        request.totalTimeout = configuration.requestTimeout
        // An error's description has room even where the object must be small.
        request.responseBytesMaximum = max(call.responseBytesMaximum, Self.errorBytesMax)
        request.acceptsCompression = false
        return request
    }
}
