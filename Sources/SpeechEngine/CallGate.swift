import Glibc

/// Lets many calls run together, or one change alone.
///
/// libmoonshine looks its transcribers up in a table without a lock, so that loading or freeing one while another
/// thread is inside any call is a data race. Calls take the gate shared, loads and frees take it alone; a waiting
/// change goes before new calls, or busy recognisers could hold it off for ever.
///
/// It is `Sendable` because a POSIX lock is made for many threads and its memory is allocated once and never moves.
@safe
final class CallGate: Sendable {
    // Immutable pointer to memory that only the pthread functions touch.
    private nonisolated(unsafe) let lock: UnsafeMutablePointer<pthread_rwlock_t>

    init() {
        unsafe lock = .allocate(capacity: 1)
        var attributes = pthread_rwlockattr_t()
        unsafe pthread_rwlockattr_init(&attributes)
        unsafe pthread_rwlockattr_setkind_np(&attributes, Int32(PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP))
        let status = unsafe pthread_rwlock_init(lock, &attributes)
        precondition(status == 0, "a lock could not be made (\(status))")
        unsafe pthread_rwlockattr_destroy(&attributes)
    }

    deinit {
        unsafe pthread_rwlock_destroy(lock)
        unsafe lock.deallocate()
    }

    /// Runs `body` together with other calls, never during a change.
    func call<Result>(_ body: () -> Result) -> Result {
        unsafe pthread_rwlock_rdlock(lock)
        defer { unsafe pthread_rwlock_unlock(lock) }
        return body()
    }

    /// Runs `body` while no call and no other change runs.
    func change<Result>(_ body: () -> Result) -> Result {
        unsafe pthread_rwlock_wrlock(lock)
        defer { unsafe pthread_rwlock_unlock(lock) }
        return body()
    }
}
