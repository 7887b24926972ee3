extension HealthRegistry {
    /// The body of `/readyz`.
    var readinessJSON: String {
        let checks = checks.map { check in
            #"{"name":\#(check.name.asJSON),"ready":\#(check.isReady),"reason":\#(check.reason.asJSON)}"#
        }
        let isShuttingDown = isShuttingDown
        return #"{"ready":\#(isReady),"shutting_down":\#(isShuttingDown),"checks":[\#(checks.joined(separator: ","))]}"#
            + "\n"
    }
}
