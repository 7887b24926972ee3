package import EarshotModel
package import HTTPTransport

/// One signed request in the making: the same for events and for live audio.
package struct OutgoingWebhook: Sendable {
    /// `webhook-id`.
    package var id: String
    package var endpoint: UniqueID
    package var url: String
    /// Keys that are good now, newest first.
    package var keys: [SigningKey]
    /// The endpoint's own headers.
    package var ownHeaders: [String: String]
    /// Headers that Earshot adds.
    package var headers: [HTTPHeader]
    package var contentType: String
    package var body: [UInt8]
    /// Up to how many requests at once successes widen the endpoint's window.
    package var concurrency: Int

    /// Makes a request.
    package init(
        id: String, endpoint: UniqueID, url: String, keys: [SigningKey], ownHeaders: [String: String],
        headers: [HTTPHeader], contentType: String, body: [UInt8], concurrency: Int
    ) {
        self.id = id
        self.endpoint = endpoint
        self.url = url
        self.keys = keys
        self.ownHeaders = ownHeaders
        self.headers = headers
        self.contentType = contentType
        self.body = body
        self.concurrency = concurrency
    }

    /// The request of a delivery.
    ///
    /// - Parameters:
    ///   - delivery: The delivery; its body is there.
    ///   - body: The body.
    ///   - now: Unix µs, which decides what keys are good.
    package init(_ delivery: ClaimedDelivery, body: String, now: Int64) {
        let endpoint = delivery.endpoint
        let id = delivery.id.description
        var headers = [
            HTTPHeader(name: "Earshot-Event", value: delivery.type.rawValue),
            HTTPHeader(name: "Earshot-Sequence", value: String(delivery.sequence)),
            HTTPHeader(name: "Earshot-Attempt", value: String(delivery.attempts + 1)),
        ]
        var url = endpoint.url
        if endpoint.dialect == .omi {
            url = URLQuery.setting(url, [("uid", delivery.uid)])
            headers.append(HTTPHeader(name: "Idempotency-Key", value: id))
        }
        self.init(
            id: id, endpoint: endpoint.id, url: url, keys: endpoint.keys(at: now), ownHeaders: endpoint.headers,
            headers: headers, contentType: "application/json", body: Array(body.utf8),
            concurrency: endpoint.concurrency)
    }

    /// The HTTP request of an attempt at a time.
    ///
    /// - Parameters:
    ///   - now: Unix seconds.
    ///   - limits: Time-outs and the bound of the response.
    /// - Returns: The request, signed for that time.
    func request(at now: Int64, limits: DeliveryLimits) -> HTTPRequest {
        var request = HTTPRequest(.post, url, body: body)
        request.headers = [HTTPHeader(name: "Content-Type", value: contentType)] + headers
        request.headers += WebhookSignature.headers(id: id, timestamp: now, body: body, keys: keys)
        if contentType == Self.binary {
            request.headers += WebhookSignature.digestHeaders(id: id, timestamp: now, body: body, keys: keys)
        }
        request.headers += ownHeaders.sorted { $0.key < $1.key }.map { HTTPHeader(name: $0.key, value: $0.value) }
        request.connectTimeout = limits.connectTimeout
        request.totalTimeout = limits.totalTimeout
        request.responseBytesMaximum = limits.responseBytesMaximum
        request.overflow = .truncate
        return request
    }

    /// The content type of live audio.
    package static let binary = "application/octet-stream"

    /// What a receiver may echo and the log must not keep: as it was sent, and as a receiver has read it.
    var secrets: [String] {
        let query = url.split(separator: "?", maxSplits: 1).dropFirst().joined()
        let values = query.split(separator: "&").compactMap { pair in
            pair.split(separator: "=", maxSplits: 1).dropFirst().first.map(String.init)
        }
        // `Bearer X`, where only `X` is a secret.
        let credentials = ownHeaders.values.flatMap { value in
            [value] + value.split(separator: " ").dropFirst().map(String.init)
        }
        let read = values.flatMap { [$0, Self.decoded($0), Self.decoded($0.replacing("+", with: " "))] }
        let all = Set(keys.map(\.text) + credentials + read)
        // The longest first: a part that is withheld hides no whole. In JSON, too.
        return all.union(all.map(Self.escaped)).union(all.map { Self.escaped($0).replacing("/", with: "\\/") })
            .sorted { $0.utf8.count > $1.utf8.count }
    }

    /// What percent signs stand for; one without two digits stands for itself.
    private static func decoded(_ text: String) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(2)
            guard byte == UInt8(ascii: "%"), digits.count == 2,
                let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
            else {
                bytes.append(byte)
                continue
            }
            bytes.append(value)
            rest.removeFirst(2)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    }
}
