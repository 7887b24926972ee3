// swift-tools-version: 6.2
import PackageDescription

// The layers, top to bottom. A target imports only targets of lower layers; `scripts/tidy` checks it.
//
//   executables → assembly → roles → services → adapters → C modules
//                               └───────┴──────────┴────→ EarshotModel

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("ImmutableWeakCaptures"),
    .treatAllWarnings(as: .error),
]
/// Adapters touch C memory: every unsafe expression there is spelled `unsafe`.
let adapter: [SwiftSetting] = strict + [.strictMemorySafety()]

let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioWebSocket = Target.Dependency.product(name: "NIOWebSocket", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let coreMetrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let configuration = Target.Dependency.product(name: "Configuration", package: "swift-configuration")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let jwtKit = Target.Dependency.product(name: "JWTKit", package: "jwt-kit")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let systemPackage = Target.Dependency.product(name: "SystemPackage", package: "swift-system")

func executable(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name, dependencies: [arguments] + dependencies, path: "Sources/Executables/\(name)",
        swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: "\(name)Tests", dependencies: [.init(stringLiteral: name)] + dependencies, swiftSettings: strict)
}

let package = Package(
    name: "earshot",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "earshot", targets: ["earshot"]),
        .executable(name: "earshot-gateway", targets: ["earshot-gateway"]),
        .executable(name: "earshot-transcript", targets: ["earshot-transcript"]),
        .executable(name: "earshot-coordinator", targets: ["earshot-coordinator"]),
        .executable(name: "earshot-private-cloud", targets: ["earshot-private-cloud"]),
        .executable(name: "earshot-webhook", targets: ["earshot-webhook"]),
        .executable(name: "earshot-audio-bytes", targets: ["earshot-audio-bytes"]),
        .executable(name: "earshot-speaker-sample", targets: ["earshot-speaker-sample"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    ],
    targets: [
        // C modules: a module map and a shim header each, found on clang's default paths (docs/adr/0002).
        .systemLibrary(name: "CHiredis", path: "Sources/CHiredis", providers: [.apt(["libhiredis-dev"])]),
        .systemLibrary(name: "CLibPQ", path: "Sources/CLibPQ", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CLibOpus", path: "Sources/CLibOpus", providers: [.apt(["libopus-dev"])]),
        .systemLibrary(name: "CSpeexDSP", path: "Sources/CSpeexDSP", providers: [.apt(["libspeexdsp-dev"])]),
        .systemLibrary(name: "CLibCurl", path: "Sources/CLibCurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CLibOgg", path: "Sources/CLibOgg", providers: [.apt(["libogg-dev"])]),
        .target(name: "CSpeechEngine", path: "Sources/CSpeechEngine"),

        // The domain: no I/O, no C, no product services.
        .target(name: "EarshotModel", dependencies: [nioCore, crypto], swiftSettings: strict),

        // What structured concurrency does not give; knows nothing of Earshot.
        .target(name: "Supervision", dependencies: [logging, coreMetrics, lifecycle], swiftSettings: strict),

        // Adapters: one per C library, know nothing of Earshot.
        .target(
            name: "RedisClient", dependencies: ["CHiredis", nioCore, nioPosix, nioSSL, logging],
            swiftSettings: adapter),
        .target(name: "PostgresClient", dependencies: ["CLibPQ", logging], swiftSettings: adapter),
        .target(name: "AudioCodecs", dependencies: ["CLibOgg", "CLibOpus", "CSpeexDSP"], swiftSettings: adapter),
        .target(name: "HTTPTransport", dependencies: ["CLibCurl", deque, logging], swiftSettings: adapter),
        .target(name: "SpeechEngine", dependencies: ["CSpeechEngine", crypto], swiftSettings: adapter),

        // Services: a protocol, the real one, the in-memory one.
        .target(
            name: "AudioStreams", dependencies: ["EarshotModel", "RedisClient", deque, nioCore, logging],
            swiftSettings: strict),
        .target(
            name: "SpeechRecognition",
            dependencies: ["AudioCodecs", "EarshotModel", "HTTPTransport", "SpeechEngine", logging, coreMetrics],
            swiftSettings: strict),
        .target(
            name: "SessionRecord", dependencies: ["EarshotModel", "PostgresClient", crypto, logging],
            swiftSettings: strict),
        .target(
            name: "AccessTokens", dependencies: ["HTTPTransport", jwtKit, logging, coreMetrics], swiftSettings: strict),
        .target(
            name: "AudioStorage",
            dependencies: ["AudioCodecs", "EarshotModel", "HTTPTransport", crypto, logging, nioCore, nioPosix],
            swiftSettings: strict),
        .target(
            name: "WebhookDelivery",
            dependencies: ["EarshotModel", "HTTPTransport", "PostgresClient", crypto, logging, coreMetrics, nioCore],
            swiftSettings: strict),
        .target(
            name: "EarshotClient",
            dependencies: ["AudioCodecs", nioCore, nioPosix, nioHTTP1, nioWebSocket],
            swiftSettings: strict),

        // Roles: the behaviour of one process each. `WorkerRuntime` is the one role library other roles import.
        .target(
            name: "WorkerRuntime",
            dependencies: [
                "AudioStreams", "EarshotModel", "Supervision", deque, nioCore, logging, coreMetrics, lifecycle,
            ],
            swiftSettings: strict),
        .target(
            name: "GatewayService",
            dependencies: [
                "AccessTokens", "AudioStreams", "EarshotModel", "RedisClient", "Supervision", deque, nioCore, nioPosix,
                nioHTTP1, nioWebSocket, logging, coreMetrics, lifecycle,
            ],
            swiftSettings: strict),
        .target(
            name: "TranscriptWorker",
            dependencies: [
                "AudioCodecs", "AudioStreams", "EarshotModel", "SpeechRecognition", "WorkerRuntime", deque, nioCore,
                coreMetrics,
            ],
            swiftSettings: strict),
        .target(
            name: "CoordinatorService",
            dependencies: [
                "AudioStreams", "EarshotModel", "SessionRecord", "Supervision", "WorkerRuntime", logging, coreMetrics,
                lifecycle,
            ],
            swiftSettings: strict),

        .target(
            name: "DeliveryWorkers",
            dependencies: [
                "AudioCodecs", "AudioStreams", "EarshotModel", "HTTPTransport", "PostgresClient", "SessionRecord",
                "WebhookDelivery", "WorkerRuntime", logging, nioCore, coreMetrics, lifecycle,
            ],
            swiftSettings: strict),
        .target(
            name: "StorageWorkers",
            dependencies: [
                "AudioCodecs", "AudioStorage", "AudioStreams", "EarshotModel", "SessionRecord", "SpeechRecognition",
                "WorkerRuntime", crypto, logging, nioCore, coreMetrics,
            ],
            swiftSettings: strict),

        // Assembly.
        .target(
            name: "ServiceBootstrap",
            dependencies: [
                "AudioStorage", "AudioStreams", "EarshotModel", "HTTPTransport", "PostgresClient", "RedisClient",
                "WebhookDelivery", "WorkerRuntime", configuration, coreMetrics, hummingbird, hummingbirdCore, lifecycle,
                unixSignals, logging, nioCore, nioPosix,
            ],
            swiftSettings: strict),
        .target(
            name: "EarshotCommands",
            dependencies: [
                "AccessTokens", "AudioCodecs", "AudioStorage", "AudioStreams", "EarshotClient", "EarshotModel",
                "HTTPTransport", "PostgresClient", "RedisClient", "ServiceBootstrap", "SessionRecord", "SpeechEngine",
                "WebhookDelivery", "WorkerRuntime", arguments, hummingbird, hummingbirdCore, lifecycle, unixSignals,
                logging, nioCore, nioPosix, nioHTTP1, subprocess, systemPackage,
            ],
            swiftSettings: strict),
        executable("earshot", ["EarshotCommands"]),
        executable("earshot-gateway", ["AccessTokens", "EarshotModel", "GatewayService", "ServiceBootstrap", logging]),
        executable(
            "earshot-transcript",
            [
                "AudioStreams", "EarshotModel", "ServiceBootstrap", "SpeechEngine", "SpeechRecognition",
                "TranscriptWorker",
                "WorkerRuntime", logging,
            ]),
        executable(
            "earshot-coordinator",
            [
                "AudioStreams", "CoordinatorService", "EarshotModel", "PostgresClient", "ServiceBootstrap",
                "SessionRecord", "WorkerRuntime",
            ]),

        executable(
            "earshot-private-cloud",
            ["AudioStorage", "AudioStreams", "EarshotModel", "ServiceBootstrap", "StorageWorkers", "WorkerRuntime"]),
        executable(
            "earshot-webhook",
            [
                "AudioStreams", "DeliveryWorkers", "EarshotModel", "HTTPTransport", "PostgresClient",
                "ServiceBootstrap",
                "SessionRecord", "WebhookDelivery", "WorkerRuntime", nioCore,
            ]),
        executable(
            "earshot-audio-bytes",
            [
                "AudioStreams", "DeliveryWorkers", "EarshotModel", "HTTPTransport", "ServiceBootstrap",
                "WebhookDelivery", "WorkerRuntime",
            ]),
        executable(
            "earshot-speaker-sample",
            [
                "AudioStorage", "AudioStreams", "EarshotModel", "PostgresClient", "ServiceBootstrap", "SessionRecord",
                "SpeechEngine", "SpeechRecognition", "StorageWorkers", "WorkerRuntime", logging,
            ]),

        // Tests. Nothing in Sources imports TestSupport.
        .target(
            name: "TestSupport",
            dependencies: [
                "AudioStreams", "EarshotModel", "PostgresClient", "RedisClient", "WorkerRuntime", nioCore, nioPosix,
                nioHTTP1, logging, coreMetrics,
            ],
            path: "Tests/TestSupport", swiftSettings: strict),
        .executableTarget(
            name: "LaneProbe",
            dependencies: [
                "AudioStreams", "EarshotModel", "RedisClient", "TestSupport", "WorkerRuntime", nioCore, lifecycle,
                logging,
            ],
            path: "Tests/LaneProbe", swiftSettings: strict),
        .target(
            name: "ChaosHarness",
            dependencies: [
                "AudioCodecs", "AudioStreams", "EarshotClient", "EarshotModel", "PostgresClient", "RedisClient",
                "TestSupport", arguments, crypto, logging, nioCore, nioHTTP1, nioPosix, unixSignals,
            ],
            path: "Tests/ChaosHarness", swiftSettings: strict),
        .executableTarget(
            name: "earshot-chaos", dependencies: ["ChaosHarness", arguments], path: "Tests/ChaosCommand",
            swiftSettings: strict),
        .executableTarget(
            name: "earshot-bench",
            dependencies: [
                "DeliveryWorkers", "EarshotModel", "HTTPTransport", "PostgresClient", "SessionRecord", "TestSupport",
                "WebhookDelivery", arguments, lifecycle, logging, nioCore, nioHTTP1, nioPosix,
            ],
            path: "Tests/BenchCommand", swiftSettings: strict),
        tests("ChaosHarness", ["EarshotModel", "TestSupport"]),
        .testTarget(
            name: "FaultProxyTests", dependencies: ["TestSupport", nioCore, nioPosix], swiftSettings: strict),
        tests("EarshotModel", [nioCore]),
        tests("Supervision", ["TestSupport", logging, coreMetrics, lifecycle]),
        tests("RedisClient", ["CHiredis", nioCore, nioPosix, logging]),
        tests("PostgresClient", ["TestSupport", logging]),
        tests("AudioCodecs", []),
        tests("SpeechEngine", []),
        tests("SpeechRecognition", ["EarshotModel", "HTTPTransport", "SpeechEngine", "TestSupport", logging]),
        tests("AccessTokens", ["HTTPTransport", "TestSupport", cryptoExtras, jwtKit, logging]),
        tests("HTTPTransport", ["TestSupport", nioCore, logging]),
        tests(
            "AudioStorage", ["AudioCodecs", "EarshotModel", "HTTPTransport", "TestSupport", crypto, logging, nioCore]),
        tests(
            "WebhookDelivery",
            [
                "EarshotModel", "HTTPTransport", "PostgresClient", "SessionRecord", "TestSupport", crypto, logging,
            ]),
        tests(
            "DeliveryWorkers",
            [
                "AudioCodecs", "AudioStreams", "EarshotModel", "HTTPTransport", "PostgresClient", "SessionRecord",
                "TestSupport", "WebhookDelivery", "WorkerRuntime", nioCore, nioPosix, nioHTTP1, lifecycle, logging,
            ]),
        tests(
            "StorageWorkers",
            [
                "AccessTokens", "AudioCodecs", "AudioStorage", "AudioStreams", "EarshotClient", "EarshotModel",
                "GatewayService", "PostgresClient", "RedisClient", "SessionRecord", "SpeechEngine", "SpeechRecognition",
                "TestSupport", "WorkerRuntime", crypto, nioCore, nioPosix, lifecycle, logging,
            ]),
        tests("EarshotClient", ["AudioCodecs", nioCore, nioEmbedded, nioPosix, nioHTTP1, nioWebSocket]),
        tests("AudioStreams", ["EarshotModel", "RedisClient", "TestSupport", nioCore]),
        tests(
            "WorkerRuntime",
            ["AudioStreams", "EarshotModel", "LaneProbe", "RedisClient", "TestSupport", nioCore, lifecycle, logging]),
        tests("SessionRecord", ["EarshotModel", "PostgresClient", "TestSupport", logging]),
        tests(
            "GatewayService",
            [
                "AccessTokens", "AudioStreams", "EarshotClient", "EarshotModel", "PostgresClient", "RedisClient",
                "SessionRecord", "TestSupport", "WebhookDelivery", nioCore, nioPosix, nioWebSocket, lifecycle, logging,
            ]),
        tests(
            "TranscriptWorker",
            [
                "AudioCodecs", "AudioStreams", "EarshotModel", "SpeechRecognition", "TestSupport", "WorkerRuntime",
                nioCore, lifecycle, logging,
            ]),
        tests(
            "CoordinatorService",
            [
                "AudioStreams", "EarshotModel", "RedisClient", "SessionRecord", "Supervision", "TestSupport",
                "WorkerRuntime", nioCore, lifecycle, logging,
            ]),
        tests(
            "ServiceBootstrap",
            [configuration, coreMetrics, hummingbird, lifecycle, logging, nioCore, nioHTTP1, nioPosix]),
        tests(
            "EarshotCommands",
            [
                "EarshotClient", "EarshotModel", "RedisClient", "ServiceBootstrap", "SessionRecord", "TestSupport",
                arguments, coreMetrics, logging, nioPosix, subprocess, systemPackage,
            ]),
        .testTarget(
            name: "ProtocolModelTests", dependencies: ["AudioStreams", "EarshotModel", "TestSupport", nioCore],
            swiftSettings: strict),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "AudioCodecs", "EarshotClient", "EarshotModel", "TestSupport", "earshot", "earshot-coordinator",
                "earshot-gateway", "earshot-transcript", nioPosix,
            ],
            swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
