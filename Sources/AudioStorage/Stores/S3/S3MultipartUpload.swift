import HTTPTransport

/// Writes a large object in parts; readers see nothing before the last request, and nothing at all after a failure.
struct S3MultipartUpload {
    let exchange: S3Exchange
    let key: ObjectKey

    /// Uploads; what was begun is taken back when a part fails.
    func run(_ bytes: [UInt8], contentType: String, condition: PutCondition) async throws(ObjectStoreError) {
        let begun = try await exchange.perform(
            S3Exchange.Call(
                method: .post, key: key.text, query: [("uploads", "")], headers: [("content-type", contentType)],
                what: "begin \(key)"))
        guard let upload = S3Document(begun.body).first("UploadId"), !upload.isEmpty else {
            throw ObjectStoreError(.unavailable, "S3 named no upload for \(key)")
        }
        do throws(ObjectStoreError) {
            let tags = try await send(bytes, upload: upload)
            try await complete(tags, upload: upload, condition: condition)
        } catch {
            // Parts that stay behind cost money until the bucket's own rules remove them; one try is made.
            _ = try? await exchange.perform(
                S3Exchange.Call(
                    method: .delete, key: key.text, query: [("uploadId", upload)], what: "give up \(key)"))
            throw error
        }
    }

    private func send(_ bytes: [UInt8], upload: String) async throws(ObjectStoreError) -> [String] {
        var tags: [String] = []
        var start = 0
        while start < bytes.count {
            let part = Array(bytes[start..<min(bytes.count, start + exchange.configuration.multipartBytes)])
            let response = try await exchange.perform(
                S3Exchange.Call(
                    method: .put, key: key.text,
                    query: [("partNumber", "\(tags.count + 1)"), ("uploadId", upload)], body: part,
                    what: "put part \(tags.count + 1) of \(key)"))
            guard let tag = response.header("etag") else {
                throw ObjectStoreError(.unavailable, "S3 gave no ETag for part \(tags.count + 1) of \(key)")
            }
            tags.append(tag)
            start += part.count
        }
        return tags
    }

    private func complete(
        _ tags: [String], upload: String, condition: PutCondition
    ) async throws(ObjectStoreError) {
        let parts = tags.enumerated().map { index, tag in
            "<Part><PartNumber>\(index + 1)</PartNumber><ETag>\(tag.replacing("\"", with: "&quot;"))</ETag></Part>"
        }
        let body = "<CompleteMultipartUpload>\(parts.joined())</CompleteMultipartUpload>"
        let response = try await exchange.perform(
            S3Exchange.Call(
                method: .post, key: key.text, query: [("uploadId", upload)],
                headers: [("content-type", "application/xml")] + condition.headers, body: Array(body.utf8),
                what: "complete \(key)"))
        // The status is sent before the work is done: an error may come with a 200.
        if let code = S3Document(response.body).all("Error").first?.first("Code") {
            throw ObjectStoreError(.unavailable, "S3 could not complete \(key): \(code)")
        }
    }
}
