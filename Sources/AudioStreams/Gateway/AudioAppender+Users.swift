package import EarshotModel
import RedisClient

// What the back-end door writes besides audio: events, conversations, requests for voice samples.
extension AudioAppender {
    /// Appends an event of a session that must still be this gateway's and open, once.
    ///
    /// The ordinals of the events that a gateway appends for a session must grow.
    package func appendEvent(
        _ event: SessionEvent, session: SessionID, epoch: FencingToken, in partition: Partition,
        completion: @escaping (Result<Tail, HandOffError>) -> Void
    ) {
        call(
            commands.append(event: event, of: session, epoch: epoch, in: partition),
            { reply in reply.string.map { $0 == "OK" ? .holds : .lost } }, completion)
    }

    /// Closes a conversation for good, in a language that the sender may name; false when it never was.
    package func closeConversation(
        _ id: String, of user: UserID, in partition: Partition, now: Int64, language: String? = nil,
        completion: @escaping (Result<Bool, HandOffError>) -> Void
    ) {
        call(
            commands.closeConversation(id, of: user, in: partition, now: now, language: language),
            { reply in reply.string.map { $0 != "GONE" } }, completion)
    }

    /// Queues a request to learn a voice, once.
    package func requestSample(
        _ request: SpeakerSampleRequest, in partition: Partition,
        completion: @escaping (Result<Void, HandOffError>) -> Void
    ) {
        call(
            commands.requestSample(request, in: partition), { reply in reply.int.map { _ in () } }, completion)
    }
}
