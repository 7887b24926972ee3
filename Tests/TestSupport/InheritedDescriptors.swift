import Foundation
import Glibc

/// The files that a child would get from this process.
enum InheritedDescriptors {
    /// Has a child close all but its standard ones: one that held a socket would keep the connection, or the port, when
    /// this process closes it.
    static func close(in actions: inout posix_spawn_file_actions_t) {
        // Closing a number that is not open is no error to posix_spawn; the margin is for what is opened meanwhile.
        let open = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd"))?.compactMap { Int32($0) }
        for descriptor in 3..<((open?.max() ?? 0) + 256) { posix_spawn_file_actions_addclose(&actions, descriptor) }
    }
}
