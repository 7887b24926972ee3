import Foundation

/// A certificate for 127.0.0.1 that is its own authority, with its key, in a directory of its own.
package struct TestCertificate: Sendable {
    private let directory: String

    /// Has openssl make one.
    package init() async throws {
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("earshot-tls-\(UUID())").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let log = "\(directory)/log"
        let openssl = try ChildProcess(
            [
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-keyout", "\(directory)/key.pem", "-out", "\(directory)/cert.pem", "-days", "2", "-subj",
                "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
            ], output: log)
        try await eventually("openssl's end") { !openssl.isRunning }
        guard FileManager.default.fileExists(atPath: file) else {
            throw ChildProcess.Failure(
                "openssl made no certificate: \((try? String(contentsOfFile: log, encoding: .utf8)) ?? "")")
        }
    }

    /// The certificate, which clients trust as an authority.
    package var file: String { "\(directory)/cert.pem" }
    /// Its key.
    package var keyFile: String { "\(directory)/key.pem" }

    /// Takes the files away.
    package func remove() { try? FileManager.default.removeItem(atPath: directory) }
}
