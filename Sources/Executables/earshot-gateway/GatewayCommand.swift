import AccessTokens
import ArgumentParser
import EarshotModel
import GatewayService
import ServiceBootstrap

/// `earshot-gateway`: accepts devices; configured by `EARSHOT_…` (docs/operations.md).
@main
struct GatewayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "earshot-gateway", abstract: "Accepts devices and appends their audio.",
        subcommands: [PreStopCommand.self])

    func run() async throws {
        let settings = Settings()
        let assembly = ServiceAssembly.start(try ProcessConfiguration(role: "gateway", settings: settings))
        let announcer = try ReadyAnnouncer(assembly.configuration, settings: settings)
        let fleet = try FleetConnection(assembly, settings: settings)
        let keySet = try settings.text("auth.jwks.url").map { url in
            try RemoteKeySet(
                url: url, allowsPlainHTTP: try settings.bool("auth.jwks.allow.http", default: false),
                logger: assembly.logger)
        }
        let server = try await makeServer(assembly, fleet, settings, announcer, keySet)
        assembly.health.expect("redis")
        try await assembly.run(
            [fleet.service] + (keySet.map { keys in [BackgroundService { await keys.run() }] } ?? [])
                + [FleetMember(fleet: fleet, logger: assembly.logger, service: server)],
            drainBudget: fleet.limits.drainBudget + .seconds(5), onAdminBound: announcer.adminBound,
            adminRoutes: DrainRoute { await server.drain() }.add)
    }

    private func makeServer(
        _ assembly: ServiceAssembly, _ fleet: FleetConnection, _ settings: Settings, _ announcer: ReadyAnnouncer,
        _ keySet: RemoteKeySet?
    ) async throws -> GatewayServer {
        let listen = try settings.endpoint("listen", default: SocketEndpoint(host: "127.0.0.1", port: 8080))
        let tokens = try await AccessTokenVerifier(
            configuration: AccessTokenConfiguration(
                hs256Secret: try settings.secret("auth.hs256.secret")?.revealed,
                keySetFile: settings.text("auth.jwks.file"), issuer: settings.text("auth.issuer"),
                audience: settings.text("auth.audience"),
                developmentMode: try settings.bool("dev.auth", default: false)),
            remoteKeys: keySet, logger: assembly.logger)
        let configuration = GatewayConfiguration(
            host: listen.host, port: listen.port, incarnation: fleet.incarnation, partitions: fleet.partitions,
            eventLoops: try settings.int("event.loops", in: 1...64, default: 2),
            allowedOrigins: Set(try settings.list("allowed.origins", default: ["*"])),
            languages: Set(try settings.list("languages", default: ["en", "multi"])), tokens: tokens,
            backend: try settings.backendDoor(), limits: fleet.limits)
        return GatewayServer(
            configuration, redis: fleet.redis, keys: fleet.keys, handOff: fleet.handOff, logger: assembly.logger,
            onListening: { announcer.listening(at: "ws://\(SocketEndpoint(host: listen.host, port: $0))") },
            onReady: { isReady, reason in
                assembly.health.setReady("redis", isReady, reason: reason)
                announcer.setReady(isReady)
            })
    }
}
