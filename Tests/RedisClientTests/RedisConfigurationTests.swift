import RedisClient
import Testing

@Suite("The configuration of a server")
struct RedisConfigurationTests {
    @Test("A full URL is taken apart and its parts are percent-decoded")
    func fullURL() throws {
        let configuration = try RedisConfiguration(url: "rediss://us%40er:p%3A%2Fs%25s%C3%A4@redis.internal:6380/7")
        #expect(configuration.username == "us@er")
        #expect(configuration.password == "p:/s%sä")
        #expect(configuration.host == "redis.internal")
        #expect(configuration.port == 6380)
        #expect(configuration.database == 7)
        #expect(configuration.tls?.verifiesCertificate == true)
    }

    @Test("What a URL leaves out has its default")
    func defaults() throws {
        let configuration = try RedisConfiguration(url: "redis://localhost")
        #expect(configuration.host == "localhost" && configuration.port == 6379 && configuration.database == 0)
        #expect(configuration.username == nil && configuration.password == nil && configuration.tls == nil)
        #expect(configuration.connectTimeout == .seconds(2) && configuration.commandTimeout == .seconds(5))
        let password = try RedisConfiguration(url: "redis://:secret@[::1]:1/")
        #expect(password.username == nil && password.password == "secret")
        #expect(password.host == "::1" && password.address == "[::1]:1")
        #expect(try RedisConfiguration(url: "redis://user@h").username == "user")
    }

    @Test(
        "A URL that cannot be used is refused with what is wrong, and never repeated",
        arguments: [
            ("localhost:6379", "no scheme"), ("http://:hunter2@h", "allowed are redis:// and rediss://"),
            ("redis://:hunter2@", "names no host"), ("redis://:hunter2@h:0", "1 to 65535"),
            ("redis://:hunter2@h:65536", "1 to 65535"), ("redis://:hunter2@h:", "1 to 65535"),
            ("redis://:hunter2@h/x", "number of a database"), ("redis://:hunter2@h/-1", "number of a database"),
            ("redis://:hunter2@h/1/2", "number of a database"), ("redis://:hunter2@h?db=1", "queries"),
            ("redis://:hunter2%4@h", "password has a %"), ("redis://:hunter2%ff@h", "UTF-8"),
            ("redis://:hunter2@[::1", "closing ]"), ("redis://:hunter2@[::1]x", "after ]"),
        ])
    func badURL(url: String, expected: String) throws {
        let error = try #require(throws: RedisError.self) { try RedisConfiguration(url: url) }
        #expect(error.code == .invalidConfiguration)
        #expect(error.message.contains(expected))
        #expect(!"\(error)".contains("hunter2"))
    }

    @Test("No way of printing a configuration shows its password")
    func passwordStaysHidden() throws {
        let configuration = try RedisConfiguration(url: "redis://joe:hunter2@h:1/2")
        var dumped = ""
        dump(configuration, to: &dumped)
        for text in ["\(configuration)", String(reflecting: configuration), dumped, "\([configuration])"] {
            #expect(!text.contains("hunter2"))
            #expect(text.contains("joe@h:1/2"))
        }
    }

    @Test("A field out of range is named, with what is allowed")
    func validation() throws {
        func message(_ change: (inout RedisConfiguration) -> Void) throws -> String {
            var configuration = RedisConfiguration(host: "h")
            change(&configuration)
            return try #require(throws: RedisError.self) { try configuration.validate() }.message
        }
        #expect(try message { $0.port = 70_000 }.contains("port is 70000"))
        #expect(try message { $0.database = -1 }.contains("database is -1"))
        #expect(try message { $0.clientName = "two words" }.contains("'two words'"))
        #expect(try message { $0.commandTimeout = .zero }.contains("command timeout"))
        #expect(try message { $0.reconnectCap = .seconds(1_000_000) }.contains("longest reconnect interval"))
        #expect(try message { $0.maximumPendingPipelines = 0 }.contains("pending pipelines is 0"))
        try RedisConfiguration(host: "h").validate()
    }
}
