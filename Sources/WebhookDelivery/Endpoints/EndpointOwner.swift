package import EarshotModel

/// Whose endpoint it is.
package enum EndpointOwner: Hashable, Sendable, CustomStringConvertible {
    /// A user's own.
    case user(UserID)
    /// An app's, for every user who has it; the name is what users see in "NAME says".
    case app(String)

    /// Longest name of an app, in bytes.
    package static let appNameBytesMaximum = 64
    /// What a refusal may say about the rule for names of apps.
    package static let appRule = "1 to 64 bytes of UTF-8 without control characters"

    /// An app, if the name is one.
    package static func app(named name: String) -> EndpointOwner? {
        guard (1...appNameBytesMaximum).contains(name.utf8.count),
            name.unicodeScalars.allSatisfy({ $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) })
        else { return nil }
        return .app(name)
    }

    /// `user` or `app`, as the table has it.
    package var kind: String {
        switch self {
        case .user: "user"
        case .app: "app"
        }
    }

    /// The user's id or the app's name.
    package var name: String {
        switch self {
        case .user(let user): user.text
        case .app(let name): name
        }
    }

    /// What a message from the endpoint is headed with (omi.md 4.4).
    package var noticeTitle: String {
        switch self {
        case .user: "Webhook says"
        case .app(let name): "\(name) says"
        }
    }

    /// `user NAME` or `app NAME`.
    package var description: String { "\(kind) \(name)" }

    /// Reads what the table has.
    package init?(kind: String, name: String) {
        switch kind {
        case "user":
            guard let user = UserID(name) else { return nil }
            self = .user(user)
        case "app":
            guard let owner = Self.app(named: name) else { return nil }
            self = owner
        default: return nil
        }
    }
}
