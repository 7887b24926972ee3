package import EarshotModel

/// Which types of webhooks must have come of each session and each conversation.
package enum WebhookArrivals {
    /// One type that came, or has to, of a session or a conversation.
    package struct Arrival: Hashable, Sendable, CustomStringConvertible {
        package var type: String
        /// A session's id; of what is about a conversation its user and its id, for ids are the user's own.
        package var subject: String

        /// Makes one of a session.
        package init(_ type: SessionEvent.Kind, session: String) {
            self.type = type.rawValue
            subject = session
        }

        /// Makes one of a conversation.
        package init(_ type: SessionEvent.Kind, conversation: String, of user: String) {
            self.type = type.rawValue
            subject = "\(user)/\(conversation)"
        }

        package var description: String { "\(type) of \(subject)" }
    }

    /// What has to come at least once, whatever the record of deliveries says.
    ///
    /// - Parameters:
    ///   - events: All events of users with an endpoint and stored audio.
    ///   - sessions: Sessions that devices know of; there may be more in the events.
    ///   - types: What the endpoints ask for.
    /// - Returns: Start and end of each session, its segments if it has any, its stored audio if it had messages, and
    ///   the completion of each session's conversation.
    package static func expected(
        _ events: [SessionEvent], sessions: Set<String> = [], types: Set<SessionEvent.Kind>
    ) -> Set<Arrival> {
        var expected = Set(
            sessions.flatMap { [Arrival(.sessionStarted, session: $0), Arrival(.sessionEnded, session: $0)] })
        for event in events {
            switch event.type {
            case .sessionStarted:
                expected.insert(Arrival(.sessionStarted, session: event.session))
                expected.insert(Arrival(.sessionEnded, session: event.session))
                expected.insert(Arrival(.conversationCompleted, conversation: event.conversation, of: event.uid))
            case .transcriptSegments where event.segments?.isEmpty == false:
                expected.insert(Arrival(.transcriptSegments, session: event.session))
            case .sessionEnded where event.frames ?? 0 > 0:
                expected.insert(Arrival(.audioStored, session: event.session))
            default: break
            }
        }
        let names = Set(types.map(\.rawValue))
        return expected.filter { names.contains($0.type) }
    }
}
