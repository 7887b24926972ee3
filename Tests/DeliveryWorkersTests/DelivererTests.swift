import EarshotModel
import HTTPTransport
import PostgresClient
import TestSupport
import Testing
import WebhookDelivery

@Suite struct DelivererTests {
    private func delivered(_ fixture: DeliveryFixture, _ endpoint: WebhookEndpoint, _ count: Int) async throws {
        try await eventually("\(count) deliveries arrive") {
            try await fixture.states(of: endpoint)[.delivered] == count
        }
    }

    @Test("Deliveries of a lane arrive in order, once each, signed, with everything a receiver needs")
    func inOrder() async throws {
        try await DeliveryFixture.with { fixture in
            try await Receiver.with { receiver in
                let endpoint = try await fixture.endpoint(receiver.url) { $0.headers = ["X-Tenant": "seven"] }
                try await fixture.enqueue(20, to: endpoint)
                try await fixture.delivering { _, _ in try await delivered(fixture, endpoint, 20) }
                let received = receiver.received
                #expect(received.map(\.sequence) == Array(1...20))
                #expect(received.map(\.text) == (0..<20).map { "{\"n\":\($0)}" })
                #expect(Set(received.map(\.id)).count == 20)
                let first = try #require(received.first)
                #expect(first.header("x-tenant") == "seven")
                #expect(first.header("content-type") == "application/json")
                #expect(first.header("earshot-event") == "transcript.segments")
                let time = try #require(Int64(first.header("webhook-timestamp") ?? ""))
                let expected = WebhookSignature.headers(
                    id: first.id, timestamp: time, body: first.body, keys: [endpoint.secrets[0].key])
                #expect(first.header("webhook-signature") == expected[2].value)
            }
        }
    }

    @Test("A success is one, also when what comes with it cannot be read; no attempt is made again")
    func unreadableSuccess() async throws {
        try await DeliveryFixture.with { fixture in
            try await Receiver.with { _ in
                .status(201, headers: [("content-encoding", "gzip")], body: "this is no gzip at all")
            } _: { receiver in
                let endpoint = try await fixture.endpoint(receiver.url)
                try await fixture.enqueue(1, to: endpoint)
                try await fixture.delivering { _, _ in try await delivered(fixture, endpoint, 1) }
                let id = try #require(UniqueID(receiver.received[0].id))
                let attempts = try #require(try await fixture.store.show(id)).attempts
                #expect(attempts.map(\.status) == [201] && attempts[0].error != nil)
            }
        }
    }

    @Test("What a receiver echoes of the URL or the headers is withheld, also as it has read or written it")
    func echoes() async throws {
        try await DeliveryFixture.with { fixture in
            try await Receiver.with { request in
                .status(200, body: #"ab+cd/ef ab+cd\/ef \#(request.header("authorization")?.dropFirst(7) ?? "")."#)
            } _: { receiver in
                let endpoint = try await fixture.endpoint(receiver.url + "?token=ab%2Bcd%2Fef") {
                    $0.headers = ["Authorization": "Bearer s3cret-of-mine"]
                }
                try await fixture.enqueue(1, to: endpoint)
                try await fixture.delivering { _, _ in try await delivered(fixture, endpoint, 1) }
                let id = try #require(UniqueID(receiver.received[0].id))
                let shown = try #require(try await fixture.store.show(id))
                #expect(shown.attempts.first?.response == "[withheld] [withheld] [withheld].")
            }
        }
    }

    @Test("H6: a failure is retried with the same id until it succeeds; its lane waits for two retries only")
    func retries() async throws {
        try await DeliveryFixture.with { fixture in
            try await Receiver.with { request in
                .status(request.sequence == 1 ? 500 : 200, body: "no: seven")
            } _: { receiver in
                let endpoint = try await fixture.endpoint(receiver.url) { $0.headers = ["X-Tenant": "seven"] }
                try await fixture.enqueue(3, to: endpoint)
                try await fixture.delivering { _, _ in
                    try await delivered(fixture, endpoint, 2)
                    #expect(receiver.received.prefix(5).map(\.sequence) == [1, 1, 1, 2, 3])
                    receiver.answer { _ in .status(204) }
                    try await delivered(fixture, endpoint, 3)
                }
                #expect(Set(receiver.received.filter { $0.sequence == 1 }.map(\.id)).count == 1)
                let id = try #require(UniqueID(receiver.received[0].id))
                let shown = try #require(try await fixture.store.show(id))
                #expect(shown.attempts.first?.status == 500)
                #expect(shown.attempts.first?.response == "no: [withheld]", "no secret is kept")
                #expect(shown.attempts.last?.status == 204)
                #expect(shown.attempts.count == receiver.received.filter { $0.sequence == 1 }.count)
            }
        }
    }

    @Test("H6: a strict endpoint gets nothing past a failing delivery until that is dead")
    func strict() async throws {
        var limits = DeliveryFixture.fastLimits
        limits.retryDelays = [.milliseconds(1), .milliseconds(1), .milliseconds(1), .milliseconds(1)]
        limits.breakerFailures = 100
        try await DeliveryFixture.with(limits) { fixture in
            try await Receiver.with { request in
                .status(request.sequence == 1 ? 500 : 200)
            } _: { receiver in
                let endpoint = try await fixture.endpoint(receiver.url) { $0.isStrict = true }
                try await fixture.enqueue(2, to: endpoint)
                try await fixture.delivering { _, _ in try await delivered(fixture, endpoint, 1) }
                #expect(receiver.received.map(\.sequence) == [1, 1, 1, 1, 1, 2])
                #expect(try await fixture.states(of: endpoint) == [.dead: 1, .delivered: 1])
            }
        }
    }

    @Test("Hanging, dripping and absent receivers delay nobody else, and cost an exchange's time")
    func others() async throws {
        try await DeliveryFixture.with { fixture in
            try await Receiver.with { _ in
                .hang
            } _: { hanging in
                try await Receiver.with { _ in
                    .drip
                } _: { dripping in
                    try await Receiver.with { well in
                        let bad = [
                            try await fixture.endpoint(hanging.url), try await fixture.endpoint(dripping.url),
                            try await fixture.endpoint("http://127.0.0.1:1/nobody"),
                        ]
                        for endpoint in bad {
                            for lane in 0..<30 { try await fixture.enqueue(1, to: endpoint, conversation: "c\(lane)") }
                        }
                        let good = try await fixture.endpoint(well.url)
                        try await fixture.enqueue(30, to: good)
                        try await fixture.delivering { _, _ in try await delivered(fixture, good, 30) }
                        for endpoint in bad {
                            let states = try await fixture.states(of: endpoint)
                            #expect(states[.delivered] == nil)
                            #expect(states[.pending] == 30)
                        }
                        #expect(hanging.received.count + dripping.received.count < 60, "they rest after some failures")
                    }
                }
            }
        }
    }

    @Test("410 disables the endpoint, and tells its owner's other one")
    func gone() async throws {
        try await DeliveryFixture.with { fixture in
            try await Receiver.with { _ in
                .status(410)
            } _: { receiver in
                try await Receiver.with { other in
                    let gone = try await fixture.endpoint(receiver.url + "?token=secret")
                    let told = try await fixture.endpoint(other.url)
                    try await fixture.enqueue(3, to: gone)
                    try await fixture.delivering { _, _ in try await delivered(fixture, told, 1) }
                    #expect(receiver.received.count == 1)
                    #expect(try await fixture.endpoints.endpoint(gone.id)?.state == .disabled)
                    let text = try #require(other.received.first?.text)
                    #expect(text.contains(#""type":"endpoint.disabled""#))
                    #expect(text.contains(gone.id.description))
                    #expect(!text.contains("secret"))
                }
            }
        }
    }

    @Test("Retry-After is obeyed, and an absurd one stalls neither the lane nor the delivery for ever")
    func retryAfter() async throws {
        var limits = DeliveryFixture.fastLimits
        limits.retryAfterMaximum = .milliseconds(1_500)
        limits.endpointPauseMaximum = .milliseconds(300)
        limits.laneHoldMaximum = .milliseconds(1_200)
        try await DeliveryFixture.with(limits) { fixture in
            try await Receiver.with { request in
                request.sequence == 1 && request.header("earshot-attempt") == "1"
                    ? .status(429, headers: [("Retry-After", "86400")]) : .status(200)
            } _: { receiver in
                let endpoint = try await fixture.endpoint(receiver.url)
                try await fixture.enqueue(2, to: endpoint)
                try await fixture.delivering { _, _ in try await delivered(fixture, endpoint, 2) }
                let received = receiver.received
                #expect(received.map(\.sequence) == [1, 2, 1])
                #expect(received[1].at - received[0].at >= .milliseconds(290))
                #expect(received[2].at - received[0].at >= .milliseconds(1_490))
            }
        }
    }

    @Test("An endpoint that asks for ten minutes gets nothing else before; others are as quick as ever")
    func leftAlone() async throws {
        try await DeliveryFixture.with { fixture in
            try await Receiver.with { _ in
                .status(503, headers: [("Retry-After", "600")])
            } _: { busy in
                try await Receiver.with { well in
                    let asking = try await fixture.endpoint(busy.url) { $0.concurrency = 1 }
                    let other = try await fixture.endpoint(well.url)
                    for lane in 0..<10 { try await fixture.enqueue(1, to: asking, conversation: "c\(lane)") }
                    try await fixture.delivering { _, _ in
                        try await eventually("it is asked once") { busy.received.count == 1 }
                        try await fixture.enqueue(30, to: other)
                        try await delivered(fixture, other, 30)
                    }
                    // Another process begins with gates that know nothing.
                    try await fixture.delivering { _, _ in
                        try await fixture.enqueue(5, to: other, conversation: "c2")
                        try await delivered(fixture, other, 35)
                    }
                    #expect(busy.received.count == 1)
                    let rows = try await fixture.client.query(
                        """
                        SELECT extract(epoch FROM paused_until - now())::bigint AS pause FROM webhook_health
                        WHERE endpoint = \(asking.id.description)::uuid
                        """)
                    #expect((540...600).contains(try rows[0].decode("pause", as: Int.self)))
                    #expect(DeliveryLimits().endpointPauseMaximum >= .seconds(3_600))
                }
            }
        }
    }

    @Test("An owner whose only endpoint is disabled is told in the open sessions")
    func disabledAlone() async throws {
        try await DeliveryFixture.with { fixture in
            try await Receiver.with { _ in
                .status(410)
            } _: { receiver in
                let endpoint = try await fixture.endpoint(receiver.url + "?token=secret")
                try await fixture.enqueue(1, to: endpoint)
                try await fixture.delivering { _, _ in
                    try await eventually("alice is told") { fixture.notices.all.count == 1 }
                }
                let notice = try #require(fixture.notices.all.first)
                #expect(notice.hasPrefix(#"alice {"text":"\#(receiver.url) gets nothing any more: its receiver"#))
                #expect(notice.hasSuffix(#""title":"Webhook disabled","type":"notification"}"#))
                let listed = try await fixture.endpoints.list(owner: endpoint.owner, limit: 10)
                #expect(listed.map(\.state) == [.disabled])
                #expect(listed.map(\.reason) == [PostgresDeliveryStore.goneReason])
            }
        }
    }

    @Test("Redirects are failures, and lead nowhere")
    func redirects() async throws {
        try await DeliveryFixture.with { fixture in
            try await Receiver.with { target in
                let location = target.url
                try await Receiver.with { _ in
                    .status(302, headers: [("Location", location)])
                } _: { receiver in
                    let endpoint = try await fixture.endpoint(receiver.url)
                    try await fixture.enqueue(1, to: endpoint)
                    try await fixture.delivering { _, _ in
                        try await eventually("a retry") { receiver.received.count >= 2 }
                    }
                    #expect(target.received.isEmpty)
                    #expect(try await fixture.states(of: endpoint) == [.pending: 1])
                }
            }
        }
    }

    @Test("A destination the policy forbids is refused at each attempt, and logged")
    func refused() async throws {
        try await DeliveryFixture.with { fixture in
            try await Receiver.with { receiver in
                let endpoint = try await fixture.endpoint(receiver.url)
                try await fixture.enqueue(1, to: endpoint)
                let policy = try DestinationPolicy(allowsPlainHTTP: true)
                try await fixture.delivering(destinations: policy) { _, _ in
                    try await eventually("two attempts") {
                        try await fixture.store.list(.init(), limit: 1).first.map { $0.attempts >= 2 } ?? false
                    }
                }
                #expect(receiver.received.isEmpty)
                let delivery = try #require(try await fixture.store.list(.init(), limit: 1).first)
                #expect(delivery.error?.hasPrefix("destinationRefused") == true)
            }
        }
    }

    @Test("A worker killed between the attempt and its record loses nothing: the same id comes again")
    func killed() async throws {
        var limits = DeliveryFixture.fastLimits
        limits.claimDuration = .milliseconds(600)
        limits.totalTimeout = .seconds(10)
        try await DeliveryFixture.with(limits) { fixture in
            try await Receiver.with { _ in
                .hang
            } _: { receiver in
                let endpoint = try await fixture.endpoint(receiver.url)
                try await fixture.enqueue(2, to: endpoint)
                try await fixture.delivering(abrupt: true) { _, _ in
                    try await eventually("the request arrives") { receiver.received.count == 1 }
                }
                receiver.answer { _ in .status(200) }
                try await fixture.delivering { _, _ in try await delivered(fixture, endpoint, 2) }
                #expect(receiver.received.map(\.sequence) == [1, 1, 2])
                #expect(receiver.received[0].id == receiver.received[1].id)
            }
        }
    }

    @Test("Two deliverers share the work, and nothing comes twice")
    func shared() async throws {
        try await DeliveryFixture.with { fixture in
            try await Receiver.with { receiver in
                let endpoint = try await fixture.endpoint(receiver.url)
                for lane in 0..<10 { try await fixture.enqueue(8, to: endpoint, conversation: "c\(lane)") }
                try await fixture.delivering { _, _ in
                    try await fixture.delivering { _, _ in try await delivered(fixture, endpoint, 80) }
                }
                #expect(receiver.received.count == 80)
                #expect(Set(receiver.received.map(\.id)).count == 80)
            }
        }
    }

    @Test("Omi endpoints get the user in the query; a message they answer goes to the user's open sessions")
    func omi() async throws {
        try await DeliveryFixture.with { fixture in
            try await Receiver.with(path: "/hook?uid=other&a=b") { _ in
                .status(200, body: #"{"message":"Well said!","other":1}"#)
            } _: { receiver in
                let endpoint = try await fixture.endpoint(receiver.url) {
                    $0.dialect = .omi
                    $0.events = [.transcriptSegments]
                }
                try await fixture.enqueue(1, to: endpoint)
                try await fixture.delivering { _, _ in try await delivered(fixture, endpoint, 1) }
                #expect(receiver.received.first?.uri == "/hook?a=b&uid=alice")
                #expect(receiver.received.first?.header("idempotency-key") == receiver.received[0].id)
                #expect(
                    fixture.notices.all == [
                        #"alice {"text":"Well said!","title":"Webhook says","type":"notification"}"#
                    ])
            }
        }
    }

    @Test("A replay brings dead deliveries back through the deliverer")
    func replay() async throws {
        var limits = DeliveryFixture.fastLimits
        limits.retryDelays = []
        try await DeliveryFixture.with(limits) { fixture in
            try await Receiver.with { _ in
                .status(500)
            } _: { receiver in
                let endpoint = try await fixture.endpoint(receiver.url)
                try await fixture.enqueue(3, to: endpoint)
                try await fixture.delivering { _, _ in
                    try await eventually("all die") { try await fixture.states(of: endpoint)[.dead] == 3 }
                    receiver.answer { _ in .status(200) }
                    let job = try await fixture.store.startReplay(since: 0, endpoint: nil)
                    try await eventually("the replay is done") {
                        try await fixture.store.progress(ofReplay: job)?.isDone == true
                    }
                }
                #expect(try await fixture.states(of: endpoint) == [.delivered: 3])
                #expect(receiver.received.count == 6)
            }
        }
    }
}
