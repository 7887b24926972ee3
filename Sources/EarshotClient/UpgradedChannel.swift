import NIOCore

/// A channel whose upgrade has succeeded, with the handler that speaks WebSocket on it.
///
/// It is what passes from the event loop to the task that connects. The `DeviceConnection`, whose end is that of the
/// channel, is made by the task: a promise that held it would keep it for as long as the channel lives.
struct UpgradedChannel: Sendable {
    let channel: any Channel
    let handler: NIOLoopBound<DeviceConnectionHandler>
    let messages: DeviceMessages

    /// Adds the handler to a channel; called on its event loop.
    init(_ channel: any Channel) throws {
        let handler = DeviceConnectionHandler()
        self.channel = channel
        self.handler = NIOLoopBound(handler, eventLoop: channel.eventLoop)
        messages = handler.makeMessages(eventLoop: channel.eventLoop)
        try channel.pipeline.syncOperations.addHandler(handler)
    }
}
