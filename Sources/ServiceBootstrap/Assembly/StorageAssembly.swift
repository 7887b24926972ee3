package import AudioStorage
import HTTPTransport
package import Logging

/// The object store of the fleet's recordings, as it is configured, with what it needs to run.
package struct StorageAssembly: Sendable {
    /// Where recordings are.
    package let store: any ObjectStore
    /// Derives users' keys; nil when no secret is configured.
    package let encryption: AudioEncryption?
    /// What has to run for the store; nothing for a directory.
    package let services: [BackgroundService]

    /// Reads the settings; S3 when a bucket is named, else a directory.
    ///
    /// ## Configuration keys
    /// - `store.dir` (path, optional, default `.earshot/audio`): the directory.
    /// - `s3.bucket`, `s3.endpoint` (https URL), `s3.region` (default us-east-1), `s3.access.key`, `s3.secret.key`
    ///   (secret), `s3.session.token` (secret, optional), `s3.path.style` (default true): the bucket.
    /// - `encryption.secret` (secret, at least 32 bytes, optional): without it `enhanced` audio waits.
    package init(settings: Settings, logger: Logger) throws {
        encryption = try settings.secret("encryption.secret", minimumBytes: 32).map {
            try AudioEncryption(secret: $0.revealed)
        }
        guard let bucket = settings.text("s3.bucket") else {
            store = GuardedObjectStore(
                DirectoryObjectStore(directory: settings.string("store.dir", default: ".earshot/audio")))
            services = []
            return
        }
        let configuration = try S3Configuration(
            endpoint: try settings.requiredString("s3.endpoint", meaning: "the URL of the S3 service"),
            region: settings.string("s3.region", default: "us-east-1"), bucket: bucket,
            accessKey: try settings.requiredString("s3.access.key", meaning: "the access key of the bucket"),
            secretKey: try settings.secret("s3.secret.key")?.revealed ?? "",
            sessionToken: try settings.secret("s3.session.token")?.revealed,
            usesPathStyle: try settings.bool("s3.path.style", default: true))
        // The operator names this endpoint, so it may be anywhere; users' URLs never get here.
        let everywhere = try DestinationPolicy(allowedNetworks: ["0.0.0.0/0", "::/0"], allowsPlainHTTP: true)
        let transport = HTTPTransport(HTTPTransportConfiguration(destinations: everywhere), logger: logger)
        store = GuardedObjectStore(S3ObjectStore(configuration, http: transport))
        services = [BackgroundService { await transport.run() }]
    }
}
