import NIOCore
import NIOWebSocket
import Synchronization

/// A small listen endpoint: it counts audio, and answers each message by what a test says.
final class ListenScript: Sendable {
    private struct State: Sendable {
        var audio: [[UInt8]] = []
        var texts: [String] = []
        var closeCodes: [UInt16] = []
    }

    private let state = Mutex(State())

    /// The audio messages of all connections, in order.
    var audio: [[UInt8]] { state.withLock { $0.audio } }
    var texts: [String] { state.withLock { $0.texts } }
    var closeCodes: [UInt16] { state.withLock { $0.closeCodes } }

    /// Returns a script that calls `onAudio` with the number of audio messages so far, `onText` with each text.
    func script(
        onOpen: @escaping @Sendable (TestPeer) -> Void = { $0.send(text: ListenScript.ready) },
        onText: @escaping @Sendable (TestPeer, String) -> Void = { _, _ in },
        onAudio: @escaping @Sendable (TestPeer, Int) -> Void = { _, _ in }
    ) -> TestScript {
        var script = TestScript()
        script.onOpen = onOpen
        script.onFrame = { peer, frame in
            var data = frame.unmaskedData
            switch frame.opcode {
            case .binary:
                let count = self.state.withLock { state in
                    state.audio.append([UInt8](buffer: data))
                    return state.audio.count
                }
                onAudio(peer, count)
            case .text:
                let text = String(buffer: data)
                self.state.withLock { $0.texts.append(text) }
                onText(peer, text)
            case .connectionClose:
                if let code = data.readInteger(as: UInt16.self) { self.state.withLock { $0.closeCodes.append(code) } }
            default: break
            }
        }
        return script
    }

    static let ready = #"{"type": "service_status", "status": "ready"}"#

    static func segment(_ id: String, _ text: String, start: Double = 0, end: Double = 1) -> String {
        """
        {"id": "\(id)", "text": "\(text)", "speaker": "SPEAKER_01", "speaker_id": 1, "is_user": true, "person_id": null,
         "start": \(start), "end": \(end), "translations": []}
        """
    }
}
