import AudioStreams
import EarshotModel
import HTTPTransport
import Synchronization
import WebhookDelivery
import WorkerRuntime

/// One session's way to one endpoint, shared by the lane that fills it and the sender that empties it.
final class WindowChannel: Sendable {
    let session: SessionID
    let user: UserID
    let conversation: String
    let sampleRate: Int
    let endpoint: UniqueID
    private let queue: Mutex<WindowQueue>
    /// The endpoint as the settings have it now.
    private let settings: Mutex<AudioEndpoint>
    /// Raised when something was settled.
    let settled: Signal

    init(_ session: RegisteredSession, cursor: WindowCursor, settings: AudioEndpoint, settled: Signal) {
        self.session = session.session
        user = session.user
        conversation = session.conversation
        sampleRate = session.parameters.sampleRate
        endpoint = cursor.endpoint
        var queue = WindowQueue(cursor, policy: settings.policy, now: .now)
        queue.patience = .seconds(settings.windowSeconds)
        self.queue = Mutex(queue)
        self.settings = Mutex(settings)
        self.settled = settled
    }

    func update(_ settings: AudioEndpoint) {
        self.settings.withLock { $0 = settings }
        queue.withLock { $0.patience = .seconds(settings.windowSeconds) }
    }

    /// Requests its endpoint may get at once, and a second.
    var bounds: (concurrency: Int, rate: Int) { settings.withLock { ($0.concurrency, $0.rate) } }

    func withQueue<Value: Sendable>(_ body: (inout WindowQueue) -> Value) -> Value { queue.withLock { body(&$0) } }

    func withQueue<Value: Sendable>(_ path: KeyPath<WindowQueue, Value>) -> Value {
        queue.withLock { $0[keyPath: path] }
    }

    /// The request for a window, with the keys that are good at a time, in Unix µs.
    func webhook(_ window: AudioWindow, skipped: UInt64, at now: Int64) -> OutgoingWebhook {
        let settings = settings.withLock(\.self)
        let id = UniqueID.derived(from: endpoint, name: "audio/\(session)/\(window.sequence)").description
        var headers = [
            HTTPHeader(name: "Earshot-Event", value: WebhookEventType.audioBytes.rawValue),
            HTTPHeader(name: "Earshot-Session", value: session.description),
            HTTPHeader(name: "Earshot-Sequence", value: String(window.sequence)),
            HTTPHeader(name: "Earshot-Capture-Time", value: ISOTime.text(window.captureTime)),
            HTTPHeader(name: "Idempotency-Key", value: id),
        ]
        if skipped > 0 { headers.append(HTTPHeader(name: "Earshot-Skipped", value: String(skipped))) }
        return OutgoingWebhook(
            id: id, endpoint: endpoint,
            url: URLQuery.setting(settings.url, [("sample_rate", String(sampleRate)), ("uid", user.text)]),
            keys: settings.secrets(at: now).compactMap { try? SigningKey($0) }, ownHeaders: settings.headers,
            headers: headers, contentType: OutgoingWebhook.binary, body: window.pcm, concurrency: settings.concurrency)
    }
}
