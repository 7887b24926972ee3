import Foundation
import NIOCore
import RedisClient
import Testing

@Suite("Redis over TLS")
struct RedisTLSTests {
    private static func failure(_ configuration: RedisConfiguration) async -> RedisError? {
        await TestSupport.failure {
            try await TestSupport.withConnection(configuration) { connection in
                let reply = try await connection.send(RedisPipeline([RedisCommand("PING")])).get()
                #expect(reply == [.simple("PONG")])
            }
        }
    }

    @Test("A certificate is accepted from its own authority, refused from the system's, ignored if asked to")
    func verification() async throws {
        try await RedisServerFixture.with(isEncrypted: true) { server in
            for host in ["127.0.0.1", "localhost"] {
                var configuration = server.configuration
                configuration.host = host
                configuration.tls = try RedisConfiguration(url: "rediss://\(host):\(server.port)").tls
                let distrusted = await Self.failure(configuration)
                #expect(distrusted?.code == .notConnected)
                #expect(distrusted?.message.contains("over TLS") == true)
                #expect(distrusted?.description.localizedCaseInsensitiveContains("certificate") == true)
                configuration.tls?.certificateAuthorityFile = server.certificateFile
                #expect(await Self.failure(configuration) == nil)
                configuration.tls = RedisTLS(verifiesCertificate: false)
                #expect(await Self.failure(configuration) == nil)
            }
        }
    }

    @Test("A plain connection to a TLS port and a TLS connection to a plain port fail and do not hang")
    func mismatch() async throws {
        try await RedisServerFixture.with(isEncrypted: true) { server in
            #expect(await Self.failure(server.configuration) != nil)
        }
        try await RedisServerFixture.with { server in
            var configuration = server.configuration
            configuration.tls = RedisTLS()
            // To the server the greeting is a line without an end: it waits, and so do we.
            configuration.connectTimeout = .seconds(1)
            #expect(await Self.failure(configuration)?.code == .notConnected)
        }
    }

    @Test("A certificate authority file that is not there is a configuration error that names it")
    func missingAuthority() async {
        var configuration = RedisConfiguration(host: "127.0.0.1")
        configuration.tls = RedisTLS(certificateAuthorityFile: "/nowhere/ca.pem")
        let error = await Self.failure(configuration)
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.contains("/nowhere/ca.pem") == true)
    }

    @Test("A client works over TLS and ends cleanly")
    func client() async throws {
        try await RedisServerFixture.with(isEncrypted: true) { server in
            var configuration = server.configuration
            configuration.tls = RedisTLS(certificateAuthorityFile: server.certificateFile)
            try await TestSupport.withClient(configuration) { client in
                let reply = try await client.execute(RedisCommand("ECHO", "over TLS"))
                #expect(reply.string == "over TLS")
            }
        }
    }
}
