import NIOCore

/// Runs the tasks that prefer it on one event loop.
///
/// A session that lives on its connection's event loop sends and receives without a hop between threads; hundreds of
/// them need no thread but that one.
final class EventLoopTaskExecutor: TaskExecutor {
    private let eventLoop: any EventLoop

    init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        eventLoop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
