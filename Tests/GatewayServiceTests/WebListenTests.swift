import EarshotClient
import EarshotModel
import TestSupport
import Testing

@Suite struct WebListenTests {
    private let path = "/v4/web/listen"

    @Test("A browser authenticates by its first message")
    func authenticated() async throws {
        try await GatewayHarness.with { harness in
            let connection = try await harness.connect(path: path)
            try await connection.send(text: #"{"type":"auth","token":"dev:web-user"}"#)
            try await connection.send(binary: [UInt8](repeating: 4, count: 640))
            let inbox = Inbox(connection)
            #expect(await inbox.next() == #"{"type":"auth_response","success":true}"#)
            #expect(await inbox.skip(to: #""status":"ready""#) != nil)
            await connection.close(code: 1000)
            #expect(try await harness.untilEnded("web-user") == .clientClosed)
            #expect(try await harness.entries(of: "web-user").flatMap(\.frames).count == 1)
        }
    }

    @Test("Authentication, audio and close in one breath: the audio is kept, and a token that is none is told")
    func oneBreath() async throws {
        try await GatewayHarness.with { harness in
            func burst(_ token: String) async throws -> (texts: [String], code: UInt16?, reason: String) {
                let connection = try await harness.connect(path: path)
                try await connection.send(text: "{\"type\":\"auth\",\"token\":\"\(token)\"}")
                // A gateway that was faster has closed already.
                try? await connection.send(binary: [UInt8](repeating: 4, count: 640))
                async let closing: Void = connection.close(code: 1000)
                let closed = await connection.untilClosed()
                await closing
                return closed
            }
            let good = try await burst("dev:web-user")
            #expect(good.texts.first == #"{"type":"auth_response","success":true}"# && good.code == 1000)
            let reason = try await harness.untilEnded("web-user")
            #expect(reason == .clientClosed)
            #expect(try await harness.entries(of: "web-user").flatMap(\.frames).count == 1)
            #expect(try await burst("nonsense").code == 1008)
        }
    }

    @Test("A development token in the URL authenticates at once; a first message that comes all the same is harmless")
    func tokenInURL() async throws {
        try await GatewayHarness.with { harness in
            let connection = try await harness.connect("token=dev:url-user", path: path)
            let inbox = Inbox(connection)
            #expect(await inbox.next() == #"{"type":"auth_response","success":true}"#)
            #expect(await inbox.skip(to: #""status":"ready""#) != nil)
            try await connection.send(text: #"{"type":"auth","token":"dev:somebody-else"}"#)
            try await connection.send(binary: [UInt8](repeating: 4, count: 640))
            await connection.close(code: 1000)
            #expect(try await harness.untilEnded("url-user") == .clientClosed)
            #expect(try await harness.entries(of: "url-user").flatMap(\.frames).count == 1)
        }
    }

    @Test(
        "Anything else as the first message is answered and closed with 1008",
        arguments: [
            #"{"type":"auth","token":"nonsense"}"#, #"{"type":"auth"}"#, "hello", #"{"type":"other"}"#,
        ])
    func refused(text: String) async throws {
        try await GatewayHarness.with { harness in
            let connection = try await harness.connect(path: path)
            try await connection.send(text: text)
            let closed = await connection.untilClosed()
            #expect(closed.texts == [#"{"type":"auth_response","success":false}"#])
            #expect(closed.code == 1008)
        }
    }

    @Test("Audio before the authentication is refused")
    func binaryFirst() async throws {
        try await GatewayHarness.with { harness in
            let connection = try await harness.connect(path: path)
            try await connection.send(binary: [1, 2, 3, 4])
            #expect(await connection.untilClosed().code == 1008)
        }
    }

    @Test("Silence instead of a first message is closed with 1008")
    func timeout() async throws {
        var limits = Limits()
        limits.firstMessageTimeout = .seconds(1)
        try await GatewayHarness.with(limits: limits) { harness in
            let closed = try await harness.connect(path: path).untilClosed()
            #expect(closed.code == 1008)
        }
    }
}
