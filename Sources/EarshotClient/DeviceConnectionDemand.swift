import NIOCore

/// Carries the reader's demand from whatever thread it reads on to the connection's event loop.
struct DeviceConnectionDemand: NIOAsyncSequenceProducerDelegate {
    let handler: NIOLoopBound<DeviceConnectionHandler>
    let eventLoop: any EventLoop

    func produceMore() {
        eventLoop.execute { handler.value.readerWantsMore() }
    }

    func didTerminate() {
        eventLoop.execute { handler.value.readerLeft() }
    }
}
