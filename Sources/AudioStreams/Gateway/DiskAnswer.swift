/// What a server says when it is asked whether something is on its disk.
package enum DiskAnswer: Sendable {
    case onDisk
    /// It did not get there in time, is another server now, or cannot be asked: ask again.
    case notYet
    /// It does not answer such a question.
    case refused
}
