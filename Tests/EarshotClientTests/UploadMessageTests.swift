import Testing

@testable import EarshotClient

@Suite("Messages of the native endpoint, as a client reads them")
struct UploadMessageTests {
    @Test("A session and an acknowledgement")
    func numbers() {
        let session = UploadMessage(
            #"{"type":"session","session_id":"a-1","conversation_id":"c","resumed":true,"next":7,"ack":"redis"}"#)
        guard case .session(let opened) = session else { return #expect(Bool(false), "no session") }
        #expect(opened == .init(session: "a-1", conversation: "c", isResumed: true, next: 7, durability: .redis))
        guard case .acknowledgement(9, .stored) = UploadMessage(#"{"type":"ack","next":9,"durability":"stored"}"#)
        else {
            return #expect(Bool(false), "no acknowledgement")
        }
    }

    @Test("A pause that a server asks for has a bound")
    func closing() {
        guard
            case .closing("draining", .some(.milliseconds(40))) = UploadMessage(
                #"{"type":"closing","reason":"draining","retry_after_ms":40}"#)
        else { return #expect(Bool(false), "no closing") }
        guard case .closing(_, .some(let wait)) = UploadMessage(#"{"type":"closing","retry_after_ms":99999999}"#) else {
            return #expect(Bool(false), "no closing")
        }
        #expect(wait == UploadLimits.retryAfterMax)
    }

    @Test(
        "What makes no sense is no message",
        arguments: [
            "", "ping", "[]", #"{"next":1}"#, #"{"type":"ack","next":-1,"durability":"redis"}"#,
            #"{"type":"ack","next":1,"durability":"carved in stone"}"#,
            #"{"type":"session","session_id":"a&from=0","next":0,"ack":"redis"}"#,
        ])
    func unreadable(text: String) {
        guard case .unreadable = UploadMessage(text) else { return #expect(Bool(false), "it was read: \(text)") }
    }
}
