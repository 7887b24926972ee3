package import EarshotModel

extension Limits {
    /// Reads the limits an operator may change.
    ///
    /// ## Configuration keys
    /// - `max.sessions` (whole number, optional, default 10000): sessions a gateway process takes, 1 to 100000.
    /// - `inactivity.timeout` (duration, optional, default 90s): 1s to 1h.
    /// - `ping.interval` (duration, optional, default 10s): 1s to 60s.
    /// - `lease.lapse` (duration, optional, default 3s): 1s to 60s.
    /// - `gateway.lapse` (duration, optional, default 8s): 1s to 60s.
    package init(settings: Settings) throws(SettingsError) {
        self.init()
        sessionsMaximum = try settings.int("max.sessions", in: 1...100_000, default: sessionsMaximum)
        inactivityTimeout = try settings.duration(
            "inactivity.timeout", in: .seconds(1) ... .seconds(3600), default: inactivityTimeout)
        pingInterval = try settings.duration("ping.interval", in: .seconds(1) ... .seconds(60), default: pingInterval)
        leaseLapse = try settings.duration("lease.lapse", in: .seconds(1) ... .seconds(60), default: leaseLapse)
        gatewayLapse = try settings.duration("gateway.lapse", in: .seconds(1) ... .seconds(60), default: gatewayLapse)
    }
}
