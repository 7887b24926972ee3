import ArgumentParser
import EarshotModel
import WebhookDelivery

/// Whose endpoint: `--uid` or `--app`.
struct EndpointOwnerOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The user: \(UserID.rule).", valueName: "uid"))
    var uid: String?

    @Option(help: ArgumentHelp("The app: \(EndpointOwner.appRule).", valueName: "name"))
    var app: String?

    func validate() throws {
        if uid != nil && app != nil { throw ValidationError("name --uid or --app, not both") }
        if let uid, UserID(uid) == nil {
            throw ValidationError("--uid \(uid.debugDescription) is not a user id; allowed: \(UserID.rule)")
        }
        if let app, EndpointOwner.app(named: app) == nil {
            throw ValidationError("--app \(app.debugDescription) is not a name; allowed: \(EndpointOwner.appRule)")
        }
    }

    /// `nil` when neither was named.
    var owner: EndpointOwner? {
        if let uid { return UserID(uid).map(EndpointOwner.user) }
        return app.flatMap(EndpointOwner.app(named:))
    }
}
