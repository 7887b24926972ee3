/// How urgent a request is, and whose it is.
package struct RecognitionPriority: Sendable, Hashable {
    enum Class: Sendable {
        case final
        case interim
        case voice
    }

    let kind: Class
    /// Whoever asks again and again for one stream; nil makes every request a caller of its own.
    let caller: UInt64?

    /// The text of a finished utterance: never dropped.
    package static let final = Self(kind: .final, caller: nil)
    /// The text so far of an open utterance: waits for all finals, dropped when it would come too late.
    package static let interim = Self(kind: .interim, caller: nil)

    /// Whose voice a finished utterance is: waits for all finals; its caller gives it up when the text would be late.
    package static let voice = Self(kind: .voice, caller: nil)

    /// A final that makes this caller's waiting interim useless.
    package static func final(of caller: UInt64) -> Self { Self(kind: .final, caller: caller) }
    /// An interim that replaces this caller's waiting one.
    package static func interim(of caller: UInt64) -> Self { Self(kind: .interim, caller: caller) }
}
