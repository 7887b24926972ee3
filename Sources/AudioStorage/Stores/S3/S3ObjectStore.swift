import EarshotModel
package import HTTPTransport

/// A bucket of an S3-compatible store.
package struct S3ObjectStore: ObjectStore {
    let exchange: S3Exchange

    /// A store over a transport, whose destination policy must allow the endpoint.
    ///
    /// - Parameters:
    ///   - configuration: where, and who.
    ///   - http: sends the requests.
    ///   - now: Unix µs; S3 refuses signatures more than 15 minutes off.
    package init(
        _ configuration: S3Configuration, http: any HTTPExchanging,
        now: @escaping @Sendable () -> Int64 = { WallClock.microseconds }
    ) {
        exchange = S3Exchange(configuration: configuration, http: http, now: now)
    }

    package func put(
        _ bytes: [UInt8], at key: ObjectKey, contentType: String, condition: PutCondition
    ) async throws(ObjectStoreError) {
        guard condition == .absent else { return try await write(bytes, at: key, contentType, condition) }
        // Some stores pass the condition by, and some refuse it; who asks for it is not to lose what is there.
        guard try await size(of: key) == nil else { throw ObjectStoreError(.exists, "\(key) is there already") }
        do throws(ObjectStoreError) {
            try await write(bytes, at: key, contentType, condition)
        } catch {
            guard error.code == .unsupported else { throw error }
            try await write(bytes, at: key, contentType, .always)
        }
    }

    private func write(
        _ bytes: [UInt8], at key: ObjectKey, _ contentType: String, _ condition: PutCondition
    ) async throws(ObjectStoreError) {
        if bytes.count > exchange.configuration.multipartThreshold {
            return try await S3MultipartUpload(exchange: exchange, key: key).run(
                bytes, contentType: contentType, condition: condition)
        }
        _ = try await exchange.perform(
            S3Exchange.Call(
                method: .put, key: key.text, headers: [("content-type", contentType)] + condition.headers, body: bytes,
                what: "put \(key)"))
    }

    package func get(_ key: ObjectKey, bytesMaximum: Int) async throws(ObjectStoreError) -> [UInt8] {
        var call = S3Exchange.Call(method: .get, key: key.text, what: "get \(key)")
        call.responseBytesMaximum = bytesMaximum
        return try await exchange.perform(call).body
    }

    package func size(of key: ObjectKey) async throws(ObjectStoreError) -> Int? {
        do throws(ObjectStoreError) {
            let response = try await exchange.perform(
                S3Exchange.Call(method: .head, key: key.text, what: "look at \(key)"))
            guard let size = response.header("content-length").flatMap({ Int($0) }) else {
                throw ObjectStoreError(.unavailable, "S3 did not say how large \(key) is")
            }
            return size
        } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
    }

    package func list(
        prefix: String, after: ObjectKey?, limit: Int
    ) async throws(ObjectStoreError) -> ObjectPage {
        var query = [("list-type", "2"), ("prefix", prefix), ("max-keys", "\(min(max(limit, 1), 1_000))")]
        if let after { query.append(("start-after", after.text)) }
        let response = try await exchange.perform(
            S3Exchange.Call(method: .get, query: query, responseBytesMaximum: 4 << 20, what: "list \(prefix)"))
        let document = S3Document(response.body)
        let found = document.all("Contents").map { (key: $0.first("Key") ?? "", size: $0.first("Size") ?? "") }
        let entries = found.compactMap { item -> ObjectPage.Entry? in
            guard let key = try? ObjectKey(item.key), let bytes = Int(item.size) else { return nil }
            return ObjectPage.Entry(key: key, bytes: bytes)
        }
        let isTruncated = document.first("IsTruncated") == "true"
        // A page with nothing but foreign names has no key to go on behind.
        guard !isTruncated || entries.last != nil else {
            throw ObjectStoreError(.refused, "1,000 objects under \(prefix) have names that Earshot does not read")
        }
        return ObjectPage(entries: entries, isTruncated: isTruncated, nextAfter: entries.last?.key)
    }

    package func delete(_ key: ObjectKey) async throws(ObjectStoreError) {
        do throws(ObjectStoreError) {
            _ = try await exchange.perform(
                S3Exchange.Call(method: .delete, key: key.text, what: "delete \(key)"))
        } catch {
            guard error.code == .notFound else { throw error }
        }
    }
}

extension PutCondition {
    /// The header that asks for it.
    var headers: [(name: String, value: String)] { self == .absent ? [("if-none-match", "*")] : [] }
}
