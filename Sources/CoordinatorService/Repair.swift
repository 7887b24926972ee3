/// What a coordinator sets right; each kind is counted, and each repair is one line in the log.
enum Repair: String {
    /// A session of a gateway that is dead.
    case gatewayLapsed = "gateway_lapsed"
    case gatewaySuperseded = "gateway_superseded"
    case gatewayAbsent = "gateway_absent"
    /// A group that nobody runs was moved past entries that do not want it (protocol.md C6).
    case unwantedSkipped = "unwanted_skipped"
    /// A session waited only for a group that is not enabled any more.
    case completedWithoutGroup = "completed_without_group"
    /// A process that was killed, and whose name nobody took again, is no member any more.
    case memberForgotten = "member_forgotten"
    /// A session that the record shows as live was lost with Redis' data.
    case sessionForgotten = "session_forgotten"
    /// Redis lost a partition's data (protocol.md M14).
    case redisLostData = "redis_lost_data"

    init(_ death: GatewayWatch.Death) {
        switch death {
        case .lapsed: self = .gatewayLapsed
        case .superseded: self = .gatewaySuperseded
        case .absent: self = .gatewayAbsent
        }
    }
}
