package import HTTPTransport
package import WebhookDelivery

/// What delivers webhooks and live audio: where it may go, and its limits.
package struct DeliveryConfiguration: Sendable {
    package var transport: HTTPTransportConfiguration
    package var limits: DeliveryLimits

    /// Reads the settings.
    ///
    /// ## Configuration keys
    /// - `webhook.allow.networks` (list, optional, default none): networks that are not public and may be connected to
    ///   all the same, for development: `127.0.0.0/8`.
    /// - `webhook.allow.http` (true or false, optional, default false): whether `http` is allowed besides `https`.
    /// - `webhook.ca.file` (path, optional): a PEM file with the certificate authorities to trust instead of the
    ///   system's.
    /// - `webhook.slots` (whole number, optional, default 256): deliveries one process has in flight, 1 to 1000.
    /// - `webhook.clock.divisor` (whole number, optional, default 1): divides the pauses between retries and before a
    ///   failing endpoint is probed or disabled; for tests of a fleet.
    package init(settings: Settings) throws {
        let networks = try settings.list("webhook.allow.networks")
        let allowsHTTP = try settings.bool("webhook.allow.http", default: false)
        do throws(DestinationPolicyError) {
            transport = HTTPTransportConfiguration(
                destinations: try DestinationPolicy(allowedNetworks: networks, allowsPlainHTTP: allowsHTTP))
        } catch {
            throw settings.error(
                "webhook.allow.networks", problem: "\(error)", allowed: "networks separated by commas")
        }
        transport.certificateAuthorityFile = settings.text("webhook.ca.file")
        limits = DeliveryLimits()
        limits.slots = try settings.int("webhook.slots", in: 1...1_000, default: limits.slots)
        limits.divideClocks(by: try settings.int("webhook.clock.divisor", in: 1...100_000, default: 1))
    }
}
