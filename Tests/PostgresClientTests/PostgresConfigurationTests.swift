import Testing

@testable import PostgresClient

@Suite("Connection URLs")
struct PostgresConfigurationTests {
    private let secret = "hunter2-secret"

    @Test("A URL's parts reach libpq, and what it leaves out comes from the configuration")
    func parts() throws {
        var configuration = try PostgresConfiguration(
            url:
                "postgresql://ann:a%40b%2F@db.example:6432/calls?sslmode=require&connect_timeout=7&options=-c%20x.y%3D1"
        )
        configuration.statementTimeout = .milliseconds(1_500)
        #expect(configuration.connectTimeout == .seconds(7))
        let given = configuration.connectionParameters
        func value(_ keyword: String) -> [String] { given.filter { $0.keyword == keyword }.map(\.value) }
        #expect(value("user") == ["ann"])
        #expect(value("password") == ["a@b/"])
        #expect(value("host") == ["db.example"])
        #expect(value("port") == ["6432"])
        #expect(value("dbname") == ["calls"])
        #expect(value("sslmode") == ["require"])
        #expect(value("connect_timeout") == [])
        #expect(value("application_name") == ["earshot"])
        #expect(value("keepalives") == ["1"])
        #expect(value("tcp_user_timeout") == ["10000"])
        #expect(value("client_encoding") == ["UTF8"])
        let options = value("options")
        #expect(options.count == 1)
        #expect(options.first?.hasPrefix("-c x.y=1 -c statement_timeout=1500 ") == true)
    }

    @Test("The URL's own settings take precedence over the defaults")
    func precedence() throws {
        let url = "postgres:///d?host=/run/pg&application_name=mine&keepalives_idle=9"
        let given = try PostgresConfiguration(url: url).connectionParameters
        #expect(given.filter { $0.keyword == "application_name" }.map(\.value) == ["mine"])
        #expect(given.filter { $0.keyword == "keepalives_idle" }.map(\.value) == ["9"])
        #expect(given.filter { $0.keyword == "host" }.map(\.value) == ["/run/pg"])
    }

    @Test("The password is in no text a configuration makes of itself")
    func secrecy() throws {
        let configuration = try PostgresConfiguration(url: "postgres://ann:\(secret)@db.example:6432/calls")
        var dumped = ""
        dump(configuration, to: &dumped)
        for text in ["\(configuration)", String(reflecting: configuration), dumped] {
            #expect(!text.contains(secret))
        }
        #expect("\(configuration)" == "postgres://ann@db.example:6432/calls")
    }

    @Test(
        "A URL that is not usable is refused without quoting its password",
        arguments: [
            "", "db.example", "http://ann:SECRET@db/x", "postgres://ann:SECRET@db:port/x",
            "postgres://ann:SECRET@db:0/x",
            "postgres://ann:SECRET@db:65536/x", "postgres://ann:SECRET@x@db/x", "postgres://ann:SECRET%zz@db/x",
            "postgres://ann:SECRET/x@db/x", "postgres://ann:SECRET@db/x?sslmode=maybe",
            "postgres://ann:SECRET@db/x?nonsense=1", "postgres://db/x?password=SECRET%zz",
            "postgres://ann:SECRET@db/x?connect_timeout=soon", "postgres://ann:SECRET@db/x?connect_timeout=0",
            "postgres://ann:SECRET@[::1/x", "postgres://ann:SECRET@db/x\0",
        ])
    func refusals(template: String) {
        let url = template.split(separator: "SECRET", omittingEmptySubsequences: false).joined(separator: secret)
        let error = #expect(throws: PostgresError.self) { try PostgresConfiguration(url: url) }
        #expect(error?.code == .invalidConfiguration)
        let text = error.map { "\($0)" } ?? ""
        #expect(!text.contains(secret))
        #expect(text.contains("postgres://user:password@host:port/database"))
    }

    @Test("An unknown parameter is named when there is no password it could be")
    func unknownParameter() {
        let error = #expect(throws: PostgresError.self) { try PostgresConfiguration(url: "postgres://db/x?sslmod=1") }
        #expect(error?.message.contains("sslmod") == true)
    }

    @Test(
        "Durations become milliseconds the server can hold",
        arguments: [
            (.zero, 1), (.seconds(-5), 1), (.nanoseconds(1), 1), (.milliseconds(1), 1), (.microseconds(1_001), 2),
            (.seconds(30), 30_000), (.seconds(1_000_000_000), 2_000_000_000),
        ] as [(Duration, Int)])
    func milliseconds(duration: Duration, expected: Int) {
        #expect(duration.wholeMilliseconds == expected)
    }
}
