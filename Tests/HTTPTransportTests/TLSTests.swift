import Foundation
import HTTPTransport
import TestSupport
import Testing

@Suite("HTTP over TLS")
struct TLSTests {
    @Test("A certificate is accepted from its own authority for its own name, and refused otherwise")
    func certificate() async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "earshot-tls-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let (key, certificate) = (directory + "/key.pem", directory + "/cert.pem")
        let maker = try ChildProcess([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
            key,
            "-out", certificate, "-days", "2", "-subj", "/CN=receiver", "-addext",
            "subjectAltName=DNS:receiver.example",
        ])
        try await eventually("openssl to end") { !maker.isRunning }
        let port = try await freePort()
        let server = try ChildProcess([
            "openssl", "s_server", "-accept", "127.0.0.1:\(port)", "-key", key, "-cert", certificate, "-www", "-quiet",
        ])
        defer { server.kill() }
        var configuration = try TransportHarness.configuration()
        configuration.addressOverride = { _ in ["127.0.0.1"] }
        try await TransportHarness.run(configuration) { transport in
            try await eventually("the server to listen") {
                await TransportHarness.code(request("receiver.example", port), transport) == .tlsFailed
            }
        }
        configuration.certificateAuthorityFile = certificate
        try await TransportHarness.run(configuration) { transport in
            let response = try await transport.send(request("receiver.example", port))
            #expect(response.status == 200)
            #expect(await TransportHarness.code(request("other.example", port), transport) == .tlsFailed)
        }
    }

    private func request(_ host: String, _ port: Int) -> HTTPRequest {
        var request = HTTPRequest(.get, "https://\(host):\(port)/")
        request.connectTimeout = .seconds(30)
        request.totalTimeout = .seconds(30)
        return request
    }

    private func freePort() async throws -> Int {
        try await HTTPServer.run({ _, _ in }) { $0.port }
    }
}
