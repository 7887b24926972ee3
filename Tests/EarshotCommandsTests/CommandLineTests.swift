import ArgumentParser
import EarshotClient
import ServiceBootstrap
import Testing

@testable import EarshotCommands

@Suite("The command line")
struct CommandLineTests {
    @Test(
        "A wrong call ends with 2",
        arguments: [
            ["nonsense"], ["token"], ["token", "--uid", "a b"], ["token", "--uid", "bob", "--ttl", "forever"],
            ["up", "--workers", "transcipt=2"], ["up", "--workers", "transcript=-1"], ["up", "--listen", "8080"],
            ["up", "--admin", "localhost"], ["up", "--log-level", "loud"], ["up", "--data-dir", ""], ["stream"],
            ["stream", "-"], ["stream", "-", "--native", "--codec", "opus"],
            ["stream", "-", "--native", "--sessions", "2"],
            ["stream", "x.wav", "--url", "http://h:1"], ["stream", "x.wav", "--codec", "mp3"],
            ["stream", "x.wav", "--speed", "-1"], ["stream", "x.wav", "--sample-rate", "16001"],
            ["stream", "x.wav", "--codec", "opus", "--sample-rate", "44100"], ["stream", "x.raw", "--raw-rate", "0"],
            ["stream", "x.wav", "--sessions", "0"], ["stream", "x.wav", "--sessions", "2", "--token", "t"],
            ["stream", "x.wav", "--stagger", "nan"], ["stream", "x.wav", "--language", "e&n"],
            ["sessions", "--limit", "0"], ["sessions", "no-such-id"], ["sessions", "--before", "yesterday"],
            [
                "sessions", "0190a0b0-0000-7000-8000-000000000000", "--before",
                "0190a0b0-0000-7000-8000-000000000000",
            ], ["sessions", "--uid", "ä"],
        ])
    func usage(arguments: [String]) async {
        #expect(await EarshotCommand.run(arguments) == 2)
    }

    @Test("Help is no failure", arguments: [["--help"], ["help", "stream"], ["up", "--help"]])
    func help(arguments: [String]) async {
        #expect(await EarshotCommand.run(arguments) == 0)
    }

    @Test("What cannot be done ends with 1")
    func failure() async throws {
        try await ScratchDirectory.with { scratch in
            let data = ["--data-dir", "\(scratch.path)/none"]
            #expect(await EarshotCommand.run(["token", "--uid", "bob"] + data) == 1)
            #expect(await EarshotCommand.run(["sessions"] + data) == 1)
            #expect(await EarshotCommand.run(["stream", "\(scratch.path)/none.wav"] + data) == 1)
            let text = try scratch.write("not a WAV", to: "text.wav")
            #expect(await EarshotCommand.run(["stream", text] + data) == 1)
            let other = try scratch.write("OggS, and not of Opus", to: "other.ogg")
            #expect(await EarshotCommand.run(["stream", other] + data) == 1)
            #expect(await EarshotCommand.run(["stream", other, "--json"] + data) == 1)
        }
    }

    @Test("Further gateways listen behind the first, but not where the admin does")
    func gatewayPorts() {
        var options = FleetOptions(dataDirectory: "d", executables: "e", migrations: "m")
        #expect((0..<4).map(options.gatewayPort) == [8080, 8082, 8083, 8084])
        options.admin = SocketEndpoint(host: "127.0.0.1", port: 8082)
        #expect((0..<4).map(options.gatewayPort) == [8080, 8081, 8083, 8084])
        options.admin = SocketEndpoint(host: "127.0.0.1", port: 0)
        #expect((0..<3).map(options.gatewayPort) == [8080, 8081, 8082])
        options.listen = SocketEndpoint(host: "127.0.0.1", port: 0)
        #expect((0..<3).map(options.gatewayPort) == [0, 0, 0])
    }

    @Test("The number of workers is read for each role, and the others keep one")
    func workers() throws {
        let counts = try WorkerCounts(parsing: "transcript=3,gateway=0")
        #expect(counts["transcript"] == 3)
        #expect(counts["gateway"] == 0)
        #expect(counts["coordinator"] == 1)
        #expect(WorkerCounts()["transcript"] == 1)
    }

    @Test(
        "A wrong number of workers is refused by name",
        arguments: [
            ("", "not ROLE=N"), ("transcript", "not ROLE=N"), ("transcript=1=2", "not ROLE=N"),
            ("transcipt=1", "no role \"transcipt\""), ("transcript=", "no number"), ("transcript=x", "no number"),
            ("transcript=65", "no number"), ("transcript=+1", "no number"),
            ("transcript=1,transcript=2", "named twice"),
            ("transcript=1,", "not ROLE=N"),
        ])
    func badWorkers(text: String, complaint: String) {
        let error = #expect(throws: CommandError.self) { try WorkerCounts(parsing: text) }
        #expect(error?.description.contains(complaint) == true, "\(String(describing: error))")
        #expect(error?.description.contains("audio-bytes, coordinator, gateway, private-cloud") == true)
    }

    @Test(
        "A lifetime has a unit",
        arguments: [
            ("90", 90), ("90s", 90), ("45m", 2_700), ("24h", 86_400), ("30d", 2_592_000),
        ])
    func lifetime(text: String, seconds: Int) {
        #expect(Lifetime(argument: text)?.seconds == seconds)
    }

    @Test("A lifetime that is none is refused", arguments: ["", "0", "-1", "h", "1w", "1.5h", "367d", "99999999999"])
    func badLifetime(text: String) {
        #expect(Lifetime(argument: text) == nil)
    }

    @Test(
        "The endpoint is completed where it is only an address",
        arguments: [
            ("ws://h:1", "ws://h:1/v4/listen?"), ("ws://h:1/", "ws://h:1/v4/listen?"),
            ("ws://h:1/v4/web/listen", "ws://h:1/v4/web/listen?"), ("ws://h:1/x?source=a", "ws://h:1/x?source=a&"),
        ])
    func endpoint(url: String, beginning: String) {
        var plan = Self.plan
        plan.url = url
        let query = "language=en&sample_rate=16000&codec=opus_fs320&channels=1"
        #expect(plan.endpoint(for: .opusFS320) == beginning + query)
    }

    @Test(
        "The endpoint of browsers gets the token in the first message",
        arguments: [
            ("ws://h:1", false), ("ws://h:1/v4/listen?a=/v4/web/listen", false), ("ws://h:1/v4/web/listen", true),
            ("ws://h:1/v4/web/listen?source=a", true), ("ws://h:1/v4/web/listening", false),
        ])
    func authentication(url: String, byMessage: Bool) {
        var plan = Self.plan
        plan.url = url
        #expect(plan.authenticatesByMessage == byMessage)
    }

    @Test("Without --url the device goes where the data directory's fleet listens")
    func defaultAddress() async throws {
        try await ScratchDirectory.with { scratch in
            #expect(try StreamPlan.url(dataDirectory: scratch.path) == "ws://127.0.0.1:8080")
            var state = FleetState()
            state.listen = "ws://127.0.0.1:4711"
            try state.write(DataDirectoryPaths(scratch.path).state)
            #expect(try StreamPlan.url(dataDirectory: scratch.path) == "ws://127.0.0.1:4711")
        }
    }

    @Test("Devices start spread over the time given, each with a user of its own")
    func devices() {
        var plan = Self.plan
        plan.sessions = 4
        plan.staggerSeconds = 2
        #expect(plan.devices.map(\.uid) == ["demo-1", "demo-2", "demo-3", "demo-4"])
        #expect(plan.devices.map(\.delay) == [0, 500, 1_000, 1_500].map { .milliseconds($0) })
        plan.isSameUser = true
        #expect(plan.devices.map(\.uid) == ["demo", "demo", "demo", "demo"])
        plan.sessions = 1
        plan.isSameUser = false
        #expect(plan.devices.map(\.uid) == ["demo"])
    }

    private static let plan = StreamPlan(
        file: "x.wav", url: "ws://h:1", uid: "demo", codec: .opusFS320, sampleRate: 16_000, speed: 1, sessions: 1,
        staggerSeconds: 0, isSameUser: false, language: "en", lingerSeconds: 1, lingerMaximumSeconds: 1)
}
