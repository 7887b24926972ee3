import Configuration
import Logging
import Testing

@testable import ServiceBootstrap

@Suite("Settings")
struct SettingsTests {
    private func settings(_ environment: [String: String], flags: [String: String] = [:]) -> Settings {
        Settings(overriding: flags, environment: environment)
    }

    @Test("Dotted keys are read from EARSHOT_ variables, all of the product's")
    func names() {
        let keys = [
            "redis.url", "postgres.url", "listen", "admin", "log.level", "key.prefix", "partitions",
            "auth.hs256.secret", "auth.jwks.file", "auth.issuer", "auth.audience", "dev.auth", "allowed.origins",
            "speech.dir", "interim", "max.sessions", "node.name",
        ]
        for key in keys {
            #expect(settings([Settings.variable(key): "v"]).text(key) == "v", "\(key)")
        }
        #expect(Settings.variable("auth.hs256.secret") == "EARSHOT_AUTH_HS256_SECRET")
    }

    @Test("Flags win over the environment, blank values count as not set, and values are trimmed")
    func precedence() {
        let settings = settings(["EARSHOT_LISTEN": "env", "EARSHOT_ADMIN": "  "], flags: ["listen": "flag"])
        #expect(settings.text("listen") == "flag")
        #expect(settings.text("admin") == nil)
        #expect(settings.text("interim") == nil)
        #expect(self.settings(["EARSHOT_ADMIN": " a b\n"]).text("admin") == "a b")
    }

    @Test("Good values are read")
    func good() throws {
        let settings = settings([
            "EARSHOT_PARTITIONS": "16", "EARSHOT_INTERIM": "Off", "EARSHOT_WAIT": "250ms", "EARSHOT_LONG": "2 h",
            "EARSHOT_LISTEN": "[::1]:8080", "EARSHOT_ALLOWED_ORIGINS": "a, b,,c ", "EARSHOT_LOG_FORMAT": "JSON",
            "EARSHOT_REDIS_URL": "rediss://user:p@ss@host:6380/1", "EARSHOT_KEY": "0123456789",
        ])
        #expect(try settings.int("partitions", in: 1...4096, default: 256) == 16)
        #expect(try settings.int("other", in: 1...4096, default: 256) == 256)
        #expect(try settings.bool("interim", default: true) == false)
        #expect(try settings.duration("wait", in: .zero ... .seconds(1), default: .zero) == .milliseconds(250))
        #expect(try settings.duration("long", in: .zero ... .seconds(9999), default: .zero) == .seconds(7200))
        let endpoint = try settings.endpoint("listen", default: SocketEndpoint(host: "x", port: 1))
        #expect(endpoint == SocketEndpoint(host: "::1", port: 8080))
        #expect(try settings.list("allowed.origins") == ["a", "b", "c"])
        #expect(try settings.choice("log.format", default: LogFormat.text) == .json)
        let url = try settings.url("redis.url", schemes: ["redis", "rediss"], default: "redis://x")
        #expect(url.revealed == "rediss://user:p@ss@host:6380/1")
        #expect(try settings.secret("key")?.revealed == "0123456789")
        #expect(try settings.secret("none") == nil)
        #expect(try settings.requiredString("key", meaning: "a key") == "0123456789")
    }

    @Test(
        "Bad values name the variable, the problem and what is allowed",
        arguments: [
            ("PARTITIONS", "abc", "not a whole number"), ("PARTITIONS", "0", "out of range"),
            ("PARTITIONS", "99999999999999999999", "not a whole number"), ("PARTITIONS", "1.5", "not a whole number"),
            ("INTERIM", "maybe", "true or false"), ("WAIT", "30", "ms, s, m, h"), ("WAIT", "-3s", "ms, s, m, h"),
            ("WAIT", "2h", "out of range"), ("LISTEN", "8080", "HOST:PORT"), ("LISTEN", "host:70000", "HOST:PORT"),
            ("LISTEN", "::1:80", "HOST:PORT"), ("LISTEN", ":80", "HOST:PORT"), ("LISTEN", "a b:80", "HOST:PORT"),
            ("LOG_LEVEL", "loud", "trace, debug, info"), ("REDIS_URL", "localhost:6379", "redis://"),
            ("REDIS_URL", "http://x", "scheme"), ("REDIS_URL", "redis://", "no host"),
            ("REDIS_URL", "redis://:6379", "no host"), ("ALLOWED_ORIGINS", "1,2,3,4", "up to 3"),
        ])
    func bad(variable: String, value: String, expected: String) {
        let settings = settings(["EARSHOT_\(variable)": value])
        let error = #expect(throws: SettingsError.self) {
            _ = try settings.int("partitions", in: 1...4096, default: 256)
            _ = try settings.bool("interim", default: true)
            _ = try settings.duration("wait", in: .zero ... .seconds(60), default: .zero)
            _ = try settings.endpoint("listen", default: SocketEndpoint(host: "x", port: 1))
            _ = try settings.choice("log.level", default: Logger.Level.info)
            _ = try settings.url("redis.url", schemes: ["redis"], default: "redis://x")
            _ = try settings.list("allowed.origins", maximum: 3)
        }
        #expect(error?.key == "EARSHOT_\(variable)")
        #expect(error?.description.contains(expected) == true, "\(String(describing: error))")
    }

    @Test("A missing required value says what belongs there")
    func missing() {
        let error = #expect(throws: SettingsError.self) {
            try settings([:]).requiredString("speech.dir", meaning: "the directory of the speech model")
        }
        #expect(error?.description == "EARSHOT_SPEECH_DIR: is not set; allowed: the directory of the speech model")
    }

    @Test("Secrets are shown nowhere")
    func secrets() throws {
        let settings = settings([
            "EARSHOT_AUTH_HS256_SECRET": "hunter2", "EARSHOT_REDIS_URL": "postgres://me:hunter2@host",
        ])
        let short = #expect(throws: SettingsError.self) { try settings.secret("auth.hs256.secret", minimumBytes: 32) }
        #expect(short?.description.contains("7 bytes") == true)
        let scheme = #expect(throws: SettingsError.self) {
            try settings.url("redis.url", schemes: ["redis"], default: "redis://x")
        }
        let secret = try #require(try settings.secret("auth.hs256.secret"))
        var dumped = ""
        dump(secret, to: &dumped)
        for text in ["\(short as Any)", "\(scheme as Any)", "\(secret)", String(reflecting: secret), dumped] {
            #expect(!text.contains("hunter2"), "\(text)")
        }
    }

    @Test("A process' configuration has defaults and checks its name")
    func process() throws {
        let configuration = try ProcessConfiguration(
            role: "gateway", settings: settings(["EARSHOT_LOG_LEVEL": "debug"]))
        #expect(configuration.node.hasPrefix("gateway-"))
        #expect(configuration.logLevel == .debug)
        #expect(configuration.admin == SocketEndpoint(host: "127.0.0.1", port: 0))
        #expect(throws: SettingsError.self) {
            try ProcessConfiguration(role: "gateway", settings: settings(["EARSHOT_NODE_NAME": "a b"]))
        }
    }

    @Test("A fleet's configuration has defaults and refuses a prefix that breaks keys")
    func fleet() throws {
        let fleet = try FleetConfiguration(settings: settings([:]))
        #expect(fleet.partitions == 256)
        #expect(fleet.keyPrefix == "earshot")
        #expect(throws: SettingsError.self) {
            try FleetConfiguration(settings: settings(["EARSHOT_KEY_PREFIX": "a{b}"]))
        }
    }

    @Test("A certificate authority that cannot be used, or would not be, is refused by name")
    func redisAuthority() throws {
        let cases = [
            ("rediss://localhost", "/nowhere/ca.pem", "/nowhere/ca.pem"),
            ("rediss://localhost", "/etc/hostname", "/etc/hostname"),
            ("redis://localhost", "/etc/hostname", "not encrypted"),
        ]
        for (url, file, complaint) in cases {
            let error = #expect(throws: SettingsError.self) {
                try FleetConfiguration(settings: settings(["EARSHOT_REDIS_URL": url, "EARSHOT_REDIS_CA_FILE": file]))
            }
            #expect(error?.key == "EARSHOT_REDIS_CA_FILE")
            #expect(error?.problem.contains(complaint) == true, "\(String(describing: error))")
        }
        #expect(throws: SettingsError.self) {
            try FleetConfiguration(
                settings: settings([
                    "EARSHOT_REDIS_URL": "rediss://localhost", "EARSHOT_REDIS_VERIFY_CERTIFICATE": "perhaps",
                ]))
        }
    }
}
