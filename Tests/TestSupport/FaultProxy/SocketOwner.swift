import Foundation

/// Finds out which process holds a connection, from what the kernel shows in /proc.
package enum SocketOwner {
    /// The inode of the TCP socket on 127.0.0.1 with this local port and this remote one.
    package static func inode(localPort: Int, remotePort: Int) -> String? {
        guard let table = try? String(contentsOfFile: "/proc/net/tcp", encoding: .utf8) else { return nil }
        let local = suffix(localPort)
        let remote = suffix(remotePort)
        for line in table.split(separator: "\n").dropFirst() {
            let fields = line.split(separator: " ", omittingEmptySubsequences: true)
            if fields.count > 9, fields[1].hasSuffix(local), fields[2].hasSuffix(remote) { return String(fields[9]) }
        }
        return nil
    }

    /// Whether a process has a socket open.
    package static func holds(_ process: Int32, inode: String) -> Bool {
        let directory = "/proc/\(process)/fd"
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return entries.contains { entry in
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(directory)/\(entry)")) == "socket:[\(inode)]"
        }
    }

    private static func suffix(_ port: Int) -> String {
        let digits = String(port, radix: 16, uppercase: true)
        return ":" + String(repeating: "0", count: 4 - digits.count) + digits
    }
}
