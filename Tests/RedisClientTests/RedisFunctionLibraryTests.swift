import RedisClient
import Testing

@Suite("Function libraries")
struct RedisFunctionLibraryTests {
    /// A library whose function `earshot_test_answer` returns its version times ten.
    private static func library(version: Int) throws -> RedisFunctionLibrary {
        try RedisFunctionLibrary(
            name: "earshot_test", version: version,
            code: """
                redis.register_function('earshot_test_answer', function(keys, args)
                  redis.call('SET', keys[1], args[1])
                  return \(version * 10)
                end)
                """)
    }

    private static func answer(_ client: RedisClient) async throws -> Int? {
        try await client.execute(RedisCommand("FCALL", "earshot_test_answer", "1", "k", "v").retriable()).int
    }

    @Test("A registered library is there before the first command, and again after the server lost it")
    func registered() async throws {
        try await RedisServerFixture.with { server in
            let library = try Self.library(version: 2)
            try await TestSupport.withClient(server.configuration, libraries: [library]) { client in
                #expect(try await Self.answer(client) == 20)
                _ = try await client.execute(
                    RedisPipeline([RedisCommand("FLUSHALL"), RedisCommand("FUNCTION", "FLUSH")]))
                let gone = await TestSupport.failure { _ = try await Self.answer(client) }
                #expect(gone?.message.contains("Function not found") == true)
                let generation = client.generation
                let kill = RedisCommand("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no")
                _ = await TestSupport.failure { _ = try await client.execute(kill) }
                #expect(try await Self.answer(client) == 20)
                #expect(client.generation == generation + 1)
            }
        }
    }

    @Test("A missing library is loaded, an older one replaced, the same one left alone, a newer one never touched")
    func versions() async throws {
        try await RedisServerFixture.with { server in
            try await TestSupport.withClient(server.configuration) { client in
                try await client.load(Self.library(version: 1))
                #expect(try await Self.answer(client) == 10)
                try await client.load(Self.library(version: 3))
                #expect(try await Self.answer(client) == 30)
                try await client.load(Self.library(version: 3))
                let error = await TestSupport.failure { try await client.load(Self.library(version: 2)) }
                #expect(error?.code == .invalidConfiguration)
                #expect(error?.message.contains("version 3") == true)
                #expect(error?.message.contains("brings 2") == true)
                #expect(try await Self.answer(client) == 30)
            }
        }
    }

    @Test("A client whose registered library is older than the server's does not connect and says why")
    func registeredOlder() async throws {
        try await RedisServerFixture.with { server in
            try await TestSupport.withClient(server.configuration) { try await $0.load(Self.library(version: 3)) }
            let old = try Self.library(version: 2)
            try await TestSupport.withClient(server.configuration, libraries: [old]) { client in
                try await RedisServerFixture.poll("the first attempt to fail") { client.lastFailure != nil }
                let error = await TestSupport.failure { try await client.untilConnected(deadline: .milliseconds(50)) }
                #expect(error?.code == .notConnected)
                #expect(error?.message.contains("never replaces a newer one") == true)
            }
        }
    }

    @Test("Processes that load at the same time all end with the newest version")
    func race() async throws {
        try await RedisServerFixture.with { server in
            try await TestSupport.withClient(server.configuration) { client in
                await withTaskGroup(of: Void.self) { group in
                    for _ in 0..<20 {
                        group.addTask {
                            let error = await TestSupport.failure { try await client.load(Self.library(version: 4)) }
                            #expect(error == nil)
                        }
                    }
                }
                let answer = try await Self.answer(client)
                #expect(answer == 40)
            }
        }
    }

    @Test("Code that does not compile is refused by the server with the library named")
    func badCode() async throws {
        try await RedisServerFixture.with { server in
            let broken = try RedisFunctionLibrary(name: "broken", version: 1, code: "this is not Lua")
            try await TestSupport.withClient(server.configuration) { client in
                let error = await TestSupport.failure { try await client.load(broken) }
                #expect(error?.code == .server)
                #expect(error?.context?.contains("broken version 1") == true)
            }
        }
    }

    @Test("A library with its own version function is accepted if that is right, refused if it is wrong or missing")
    func ownVersionFunction() async throws {
        try await RedisServerFixture.with { server in
            try await TestSupport.withClient(server.configuration) { client in
                func code(_ name: String, _ number: Int) -> String {
                    "redis.register_function('\(name)_version', function() return \(number) end)"
                }
                try await client.load(RedisFunctionLibrary(name: "right", version: 5, code: code("right", 5)))
                let wrong = try RedisFunctionLibrary(name: "wrong", version: 5, code: code("wrong", 4))
                let error = await TestSupport.failure { try await client.load(wrong) }
                #expect(error?.message.contains("wrong_version does not return") == true)
                let foreign = "#!lua name=foreign\nredis.register_function('f', function() return 1 end)"
                _ = try await client.execute(RedisCommand("FUNCTION", "LOAD", .init(foreign)))
                let taken = try RedisFunctionLibrary(name: "foreign", version: 1, code: "-- nothing")
                let refusal = await TestSupport.failure { try await client.load(taken) }
                #expect(refusal?.code == .invalidConfiguration)
                #expect(refusal?.message.contains("FUNCTION DELETE") == true)
            }
        }
    }

    @Test("A name, a version or a code that cannot be right is refused before any server sees it")
    func validation() {
        for (name, version, code) in [("a-b", 1, "x"), ("", 1, "x"), ("a", 0, "x"), ("a", 1, "#!lua name=a\nx")] {
            #expect(throws: RedisError.self) { try RedisFunctionLibrary(name: name, version: version, code: code) }
        }
    }
}
