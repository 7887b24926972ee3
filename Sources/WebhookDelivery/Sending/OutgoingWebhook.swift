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

    /// What a receiver may echo and the log must not keep.
    var secrets: [String] {
        let query = url.split(separator: "?", maxSplits: 1).dropFirst().joined()
        let values = query.split(separator: "&").compactMap { pair in
            pair.split(separator: "=", maxSplits: 1).dropFirst().first.map(String.init)
        }
        return keys.map(\.text) + Array(ownHeaders.values) + values
    }
}
