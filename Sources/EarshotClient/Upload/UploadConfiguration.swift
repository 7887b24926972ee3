/// How a `DeviceUpload` behaves.
package struct UploadConfiguration: Sendable {
    /// The endpoint with what the device says of its audio: `ws://…/v1/stream?codec=…&sample_rate=…`.
    package var url: String
    /// The token, asked for with every connection, because it may have expired meanwhile; `nil` sends none.
    package var token: (@Sendable () async throws -> String)?
    /// Sent with every upgrade.
    package var headers: [(String, String)] = []
    /// What an acknowledgement shall promise.
    package var durability = UploadDurability.fsynced
    /// How long it goes on without any session before it gives up.
    package var patience = Duration.seconds(600)
    /// How long it waits for acknowledgements when all is sent; parts are stored every minute.
    package var settling = Duration.seconds(120)
    /// It stays until no result has come for `linger`, and `lingerMax` in all.
    package var linger = Duration.zero
    package var lingerMax = Duration.zero
    /// Called for what happens, on the upload's event loop: it must return quickly.
    package var observer: (@Sendable (DeviceObservation) -> Void)?

    /// Creates the configuration of a device that ends when everything is acknowledged.
    package init(url: String) { self.url = url }

    /// The subprotocol of the endpoint.
    static let subprotocol = "earshot.v1"

    var rules: UploadMachine.Rules {
        UploadMachine.Rules(patience: patience, settling: settling, linger: linger, lingerMax: lingerMax)
    }

    func url(resuming session: String?, from first: UInt64) -> String {
        let resume = session.map { "&resume=\($0)&from=\(first)" } ?? ""
        return url + (url.contains("?") ? "&" : "?") + "ack=\(durability.rawValue)" + resume
    }
}
