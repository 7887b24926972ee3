import EarshotModel
import Testing
import WebhookDelivery

@Suite struct EndpointTests {
    private func endpoint(_ change: (inout WebhookEndpoint) -> Void) throws -> WebhookEndpoint {
        let user = try #require(UserID("alice"))
        var endpoint = WebhookEndpoint(
            id: .timeOrdered(at: 0), owner: .user(user), url: "https://example.com/hook",
            events: [.transcriptSegments])
        change(&endpoint)
        return endpoint
    }

    @Test("Ordinary settings are allowed")
    func allowed() throws {
        try EndpointRules.check(try endpoint { $0.headers = ["Authorization": "Bearer x", "X-Tenant": "7"] })
        try EndpointRules.check(try endpoint { $0.url = "http://127.0.0.1:8080/x?y=1" })
        try EndpointRules.check(try endpoint { $0.dialect = .omi })
    }

    @Test(
        "URLs that are none are refused",
        arguments: [
            "", "example.com", "ftp://example.com/", "https://", "https://exa mple.com/",
            "https://user:pw@example.com/",
            "https://example.com/#part", "https://example.com/\r\nX: y", "https://example.com/ü",
        ])
    func urls(url: String) throws {
        #expect(throws: WebhookError.self) { try EndpointRules.check(try endpoint { $0.url = url }) }
    }

    @Test(
        "Headers of our own and of the connection are reserved",
        arguments: [
            "webhook-id", "Webhook-Signature", "svix-id", "Host", "content-length", "Earshot-Sequence",
            "Transfer-Encoding", "Idempotency-Key", "a b", "", "x:y", "é",
        ])
    func headers(name: String) throws {
        #expect(throws: WebhookError.self) { try EndpointRules.check(try endpoint { $0.headers = [name: "v"] }) }
    }

    @Test("Values that would break a request, and settings out of range, are refused")
    func values() throws {
        let changes: [@Sendable (inout WebhookEndpoint) -> Void] = [
            { $0.headers = ["X-A": "b\r\nc: d"] }, { $0.headers = ["X-A": "1", "x-a": "2"] }, { $0.events = [] },
            { $0.events = [.endpointTest] }, { $0.concurrency = 0 }, { $0.rate = 1_001 }, { $0.windowSeconds = 0 },
            { endpoint in
                endpoint.dialect = .omi
                endpoint.events = [.sessionStarted]
            },
        ]
        for change in changes {
            #expect(throws: WebhookError.self) { try EndpointRules.check(try endpoint(change)) }
        }
    }

    @Test("The query is rewritten, existing parameters replaced, the others kept")
    func query() {
        func set(_ url: String) -> String {
            URLQuery.setting(url, [("sample_rate", "16000"), ("uid", "alice")])
        }
        #expect(set("https://e.com/h") == "https://e.com/h?sample_rate=16000&uid=alice")
        #expect(set("https://e.com/h?") == "https://e.com/h?sample_rate=16000&uid=alice")
        #expect(set("https://e.com/h?uid=x&a=1&uid=y") == "https://e.com/h?a=1&sample_rate=16000&uid=alice")
        #expect(set("https://e.com/h?%75id=x&b&k=a%26b") == "https://e.com/h?b&k=a%26b&sample_rate=16000&uid=alice")
        #expect(set("https://e.com/h?uidx=1#f") == "https://e.com/h?uidx=1&sample_rate=16000&uid=alice")
    }

    @Test("What is shown of a URL holds neither query nor user info")
    func shown() {
        #expect(URLQuery.withoutSecrets("https://u:p@e.com/h?token=s#x") == "https://e.com/h")
        #expect(URLQuery.withoutSecrets("https://e.com/a@b?token=s") == "https://e.com/a@b")
    }

    @Test("Names of apps are text on one line")
    func apps() {
        #expect(EndpointOwner.app(named: "Note Taker") == .app("Note Taker"))
        #expect(EndpointOwner.app(named: "") == nil)
        #expect(EndpointOwner.app(named: "a\nb") == nil)
        #expect(EndpointOwner.app(named: String(repeating: "x", count: 65)) == nil)
    }

    @Test("Expired keys do not sign; a message of six characters is one, of five is none")
    func small() throws {
        let old = SigningKey.newShared()
        let new = SigningKey.newShared()
        let rotated = try endpoint {
            $0.secrets = [EndpointSecret(key: new), EndpointSecret(key: old, expiresAt: 100)]
        }
        #expect(rotated.keys(at: 99) == [new, old])
        #expect(rotated.keys(at: 100) == [new])
        #expect(OmiReply.message(in: Array(#"{"message":"sixsix"}"#.utf8)) == "sixsix")
        #expect(OmiReply.message(in: Array(#"{"message":"fiver"}"#.utf8)) == nil)
        for body in ["", "hello there", "[1]", #"{"message":7}"#, #"{"text":"long enough"}"#] {
            #expect(OmiReply.message(in: Array(body.utf8)) == nil)
        }
        #expect(
            OmiReply.notification(title: EndpointOwner.app("Note").noticeTitle, message: "a \"b\"")
                == #"{"text":"a \"b\"","title":"Note says","type":"notification"}"#)
    }
}
