/// A gateway cannot have the address it is to listen on.
struct GatewayBindError: Error, CustomStringConvertible {
    let host: String
    let port: Int
    let reason: String

    var description: String {
        "cannot listen on \(host):\(port) (EARSHOT_LISTEN; --listen of `earshot up`, whose further gateways take the "
            + "ports behind it): \(reason)"
    }
}
