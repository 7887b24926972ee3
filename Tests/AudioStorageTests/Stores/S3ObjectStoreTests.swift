import Foundation
import HTTPTransport
import Synchronization
import TestSupport
import Testing

@testable import AudioStorage

@Suite("S3", .timeLimit(.minutes(3)))
struct S3ObjectStoreTests {
    private func configuration(pathStyle: Bool = true, partBytes: Int? = nil) throws -> S3Configuration {
        var configuration = try S3Configuration(
            endpoint: "https://s3.example.com", region: "eu-central-1", bucket: "earshot-audio", accessKey: "AKIA",
            secretKey: "secret", usesPathStyle: pathStyle)
        configuration.attemptsMaximum = 3
        if let partBytes {
            configuration.multipartThreshold = partBytes
            configuration.multipartBytes = partBytes
        }
        return configuration
    }

    private func bytes(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 ^ $0 >> 9) } }

    private func put(_ bytes: [UInt8], to store: S3ObjectStore) async throws(ObjectStoreError) {
        try await store.put(bytes, at: ObjectKey("a/b.c"), contentType: "audio/ogg", condition: .always)
    }

    @Test("Large objects go in parts and are one object", arguments: S3Server.Kind.allCases)
    func multipart(kind: S3Server.Kind) async throws {
        try await S3Server.withStore(kind) {
            $0.multipartThreshold = 6 << 20
            $0.multipartBytes = 5 << 20
        } _: { store in
            let key = try ObjectKey("audio/large.ogg")
            let contents = bytes((11 << 20) + 13)
            try await store.put(contents, at: key, contentType: "audio/ogg", condition: .always)
            #expect(try await store.get(key, bytesMaximum: contents.count) == contents)
            #expect(try await store.size(of: key) == contents.count)
        }
    }

    @Test("A wrong secret is refused, and never shown")
    func wrongSecret() async throws {
        try await S3Server.withStore(.nanio) { store in
            var configuration = store.exchange.configuration
            configuration.secretKey = "wrong-secret"
            let store = S3ObjectStore(configuration, http: store.exchange.http)
            let error = await #expect(throws: ObjectStoreError.self) { try await put([1], to: store) }
            #expect(error?.code == .refused)
            #expect(error?.message.contains("SignatureDoesNotMatch") == true)
            #expect(error?.message.contains("wrong-secret") == false)
        }
    }

    @Test("A clock that is off is said to be", arguments: [Int64(-3_600), 3_600])
    func clockSkew(seconds: Int64) async throws {
        try await S3Server.withStore(.nanio) { store in
            let skewed = S3ObjectStore(store.exchange.configuration, http: store.exchange.http) {
                (Int64(Date().timeIntervalSince1970) + seconds) * 1_000_000
            }
            let error = await #expect(throws: ObjectStoreError.self) { try await put([1], to: skewed) }
            #expect(error?.code == .clockSkew)
        }
    }

    @Test("A bucket that does not exist is a refusal, not a missing object", arguments: S3Server.Kind.allCases)
    func noBucket(kind: S3Server.Kind) async throws {
        try await S3Server.withStore(kind) { store in
            var configuration = store.exchange.configuration
            configuration.bucket = "no-such-bucket"
            let store = S3ObjectStore(configuration, http: store.exchange.http)
            let error = await #expect(throws: ObjectStoreError.self) {
                try await store.get(ObjectKey("a"), bytesMaximum: 10)
            }
            #expect(error?.code == .refused)
        }
    }

    @Test("The bucket stands in the path or in the host's name, and each request is signed")
    func styles() async throws {
        let http = InMemoryHTTPExchange { _ throws(HTTPTransportError) in HTTPResponse(status: 200) }
        for pathStyle in [true, false] {
            let store = S3ObjectStore(try configuration(pathStyle: pathStyle), http: http)
            try await put([1], to: store)
            _ = try await store.list(prefix: "a b/", after: nil, limit: 5)
        }
        #expect(
            http.requests.map(\.url) == [
                "https://s3.example.com/earshot-audio/a/b.c",
                "https://s3.example.com/earshot-audio?list-type=2&max-keys=5&prefix=a%20b%2F",
                "https://earshot-audio.s3.example.com/a/b.c",
                "https://earshot-audio.s3.example.com/?list-type=2&max-keys=5&prefix=a%20b%2F",
            ])
        for request in http.requests {
            let headers = Dictionary(uniqueKeysWithValues: request.headers.map { ($0.name, $0.value) })
            #expect(headers["x-amz-content-sha256"]?.count == 64)
            #expect(headers["Authorization"]?.contains("host;x-amz-content-sha256;x-amz-date") == true)
        }
    }

    @Test(
        "What may pass is tried again, what will not is not",
        arguments: [
            (503, 3, true), (500, 3, true), (429, 3, true), (408, 3, true), (403, 1, false), (400, 1, false),
            (301, 1, false),
        ])
    func retries(status: Int, attempts: Int, mayPass: Bool) async throws {
        let http = InMemoryHTTPExchange { _ throws(HTTPTransportError) in HTTPResponse(status: status) }
        let store = S3ObjectStore(try configuration(), http: http)
        let error = await #expect(throws: ObjectStoreError.self) { try await put([1], to: store) }
        #expect(http.requests.count == attempts)
        #expect(error?.code == (mayPass ? .unavailable : .refused))
    }

    @Test("A server that comes back in time is not noticed")
    func recovers() async throws {
        let calls = Mutex(0)
        let http = InMemoryHTTPExchange { _ throws(HTTPTransportError) in
            let call = calls.withLock { count in
                count += 1
                return count
            }
            if call == 1 { throw HTTPTransportError(.timedOut, "slow") }
            return HTTPResponse(status: call == 2 ? 503 : 200)
        }
        try await put([1], to: S3ObjectStore(try configuration(), http: http))
        #expect(calls.withLock(\.self) == 3)
    }

    @Test("A store that refuses conditional writes gets plain ones; nothing there is replaced", arguments: [8, 1_000])
    func conditional(partBytes: Int) async throws {
        let known = Mutex(false)
        let http = InMemoryHTTPExchange { request throws(HTTPTransportError) in
            if request.headers.contains(where: { $0.name == "if-none-match" }) {
                return HTTPResponse(status: 501, body: Array("<Error><Code>NotImplemented</Code></Error>".utf8))
            }
            switch request.method {
            case .head where known.withLock(\.self):
                return HTTPResponse(status: 200, headers: [HTTPHeader(name: "content-length", value: "20")])
            case .head: return HTTPResponse(status: 404)
            case .post where request.url.contains("uploads="):
                return HTTPResponse(status: 200, body: Array("<R><UploadId>u</UploadId></R>".utf8))
            default: return HTTPResponse(status: 200, headers: [HTTPHeader(name: "ETag", value: "\"x\"")])
            }
        }
        let store = S3ObjectStore(try configuration(partBytes: partBytes), http: http)
        let key = try ObjectKey("a/b.c")
        try await store.put(bytes(20), at: key, contentType: "x", condition: .absent)
        let last = try #require(http.requests.last)
        #expect(last.method == (partBytes < 20 ? .post : .put))
        #expect(http.requests.count { $0.headers.contains { $0.name == "if-none-match" } } == 1, "it is asked once")
        known.withLock { $0 = true }
        let error = await #expect(throws: ObjectStoreError.self) {
            try await store.put(bytes(20), at: key, contentType: "x", condition: .absent)
        }
        #expect(error?.code == .exists)
    }

    @Test("An upload in parts that fails is taken back")
    func abort() async throws {
        let http = InMemoryHTTPExchange { request throws(HTTPTransportError) in
            switch request.method {
            case .post: HTTPResponse(status: 200, body: Array("<R><UploadId>u&amp;1</UploadId></R>".utf8))
            case .put: HTTPResponse(status: 403, body: Array("<Error><Code>AccessDenied</Code></Error>".utf8))
            default: HTTPResponse(status: 204)
            }
        }
        let store = S3ObjectStore(try configuration(partBytes: 8), http: http)
        let error = await #expect(throws: ObjectStoreError.self) { try await put(bytes(20), to: store) }
        #expect(error?.code == .refused && error?.message.contains("AccessDenied") == true)
        #expect(http.requests.last?.method == .delete)
        #expect(http.requests.last?.url.hasSuffix("/earshot-audio/a/b.c?uploadId=u%261") == true)
    }

    @Test("An error that comes with status 200 is an error")
    func lateError() async throws {
        let http = InMemoryHTTPExchange { request throws(HTTPTransportError) in
            switch (request.method, request.url.contains("uploads=")) {
            case (.post, true): HTTPResponse(status: 200, body: Array("<R><UploadId>u</UploadId></R>".utf8))
            case (.put, _): HTTPResponse(status: 200, headers: [HTTPHeader(name: "ETag", value: "\"x\"")])
            default: HTTPResponse(status: 200, body: Array("<Error><Code>InternalError</Code></Error>".utf8))
            }
        }
        let store = S3ObjectStore(try configuration(partBytes: 8), http: http)
        let error = await #expect(throws: ObjectStoreError.self) { try await put(bytes(20), to: store) }
        #expect(error?.code == .unavailable)
    }

    @Test(
        "Settings that cannot be are refused",
        arguments: [
            ("ftp://x", "us-east-1", "bucket"), ("https://", "us-east-1", "bucket"),
            ("https://h/path", "us-east-1", "bucket"), ("https://u:p@h", "us-east-1", "bucket"),
            ("https://h", "us east", "bucket"), ("https://h", "us-east-1", "B"), ("https://h", "us-east-1", "../x"),
            ("https://h\r\nx", "us-east-1", "bucket"),
        ])
    func badSettings(endpoint: String, region: String, bucket: String) {
        #expect(throws: ObjectStoreError.self) {
            try S3Configuration(
                endpoint: endpoint, region: region, bucket: bucket, accessKey: "a", secretKey: "b")
        }
    }

    @Test("A store that is away is left alone for a while, then tried again")
    func breaker() async throws {
        let memory = InMemoryObjectStore()
        var policy = CircuitBreaker.Policy()
        policy.failuresMaximum = 2
        policy.openDuration = .milliseconds(50)
        policy.openDurationMaximum = .milliseconds(50)
        let store = GuardedObjectStore(memory, policy: policy)
        let key = try ObjectKey("a")
        memory.fail(ObjectStoreError(.unavailable, "down"))
        for _ in 0..<2 {
            await #expect(throws: ObjectStoreError.self) { try await store.size(of: key) }
        }
        memory.fail(nil)
        try await eventually(
            "the store is asked again",
            isTrue: { (try? await store.put([1], at: key, contentType: "x", condition: .always)) != nil })
        try store.checkAvailable()
        memory.fail(ObjectStoreError(.refused, "403"))
        for _ in 0..<9 {
            let error = await #expect(throws: ObjectStoreError.self) { try await store.size(of: key) }
            #expect(error?.code == .refused)
        }
        try store.checkAvailable()
    }
}
