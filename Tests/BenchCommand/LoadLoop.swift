import Synchronization

/// Does something so many times, with so many workers at once.
final class LoadLoop: Sendable {
    private let left: Atomic<Int>
    private let workers: Int

    init(requests: Int, workers: Int) {
        left = Atomic(requests)
        self.workers = workers
    }

    func run(_ body: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for _ in 0..<workers {
                tasks.addTask {
                    while self.left.subtract(1, ordering: .relaxed).newValue >= 0 { try await body() }
                }
            }
            try await tasks.waitForAll()
        }
    }
}
