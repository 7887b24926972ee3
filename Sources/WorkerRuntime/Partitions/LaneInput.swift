/// What a lane's task gets to do next.
enum LaneInput: Sendable {
    case entries([LaneEntry])
    case idle
    /// Commit what can be committed, and go on.
    case relieve
    /// Commit what can be committed; the partition is handed over.
    case handOver
    /// Nothing more: the partition is lost, or the lane has been quiet for long.
    case close
}
