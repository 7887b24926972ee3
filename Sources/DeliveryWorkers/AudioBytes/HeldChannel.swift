/// A lane's hold on its channel: who throws the lane away takes its windows back from the sender.
///
/// The next attempt has a channel of its own; without this each one would leave another that is sent from for ever.
final class HeldChannel: Sendable {
    let channel: WindowChannel

    init(_ channel: WindowChannel) { self.channel = channel }

    deinit { channel.withQueue { _ = $0.abandon() } }
}
