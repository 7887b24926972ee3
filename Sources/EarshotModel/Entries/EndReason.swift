/// Why a session ended, as the end marker and the record say it.
package enum EndReason: UInt8, Sendable, CaseIterable {
    /// The device closed.
    case clientClosed = 1
    /// The connection broke without a close.
    case connectionLost = 2
    /// No message for the inactivity limit.
    case inactive = 3
    /// The gateway drained for a restart.
    case gatewayDraining = 4
    /// The gateway died; what it still held is unknown (protocol.md M12).
    case gatewayDead = 5
    /// The device broke the protocol.
    case protocolError = 6
    /// Another connection of the device continues it, or its gateway lost its epoch.
    case superseded = 7
    /// The device was too slow, or memory was short.
    case overloaded = 8
    /// Anything unexpected in the gateway.
    case internalError = 9
    /// Its conversation was closed for silence; the same connection goes on with another session.
    case conversationClosed = 10
    /// Redis lost what had been acknowledged of it; its device sends again what it still has (protocol.md H10).
    case redisRollback = 11

    /// The name in the record and in events.
    package var name: String {
        switch self {
        case .clientClosed: "client_closed"
        case .connectionLost: "connection_lost"
        case .inactive: "inactive"
        case .gatewayDraining: "gateway_draining"
        case .gatewayDead: "gateway_dead"
        case .protocolError: "protocol_error"
        case .superseded: "superseded"
        case .overloaded: "overloaded"
        case .internalError: "internal_error"
        case .conversationClosed: "conversation_closed"
        case .redisRollback: "redis_rollback"
        }
    }
}
