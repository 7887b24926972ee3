import Foundation
import Testing

@testable import EarshotCommands

@Suite("The data directory")
struct DataDirectoryTests {
    @Test("is made for its owner alone")
    func permissions() async throws {
        try await ScratchDirectory.with { scratch in
            let directory = try DataDirectory(path: "\(scratch.path)/deep/data")
            #expect(try scratch.permissions("deep/data") == 0o700)
            #expect(try scratch.permissions("deep/data/secrets") == 0o700)
            #expect(directory.paths.root == "\(scratch.path)/deep/data")
        }
    }

    @Test("belongs to one at a time, and who comes second learns whose it is")
    func lock() async throws {
        try await ScratchDirectory.with { scratch in
            let path = "\(scratch.path)/data"
            var first: DataDirectory? = try DataDirectory(path: path)
            #expect(first != nil)
            let error = #expect(throws: CommandError.self) { try DataDirectory(path: path) }
            #expect(error?.description.contains("(pid \(getpid()))") == true)
            first = nil
            _ = try DataDirectory(path: path)
        }
    }

    @Test("is refused where a file is in the way")
    func fileInTheWay() async throws {
        try await ScratchDirectory.with { scratch in
            let path = try scratch.write("", to: "data")
            let error = #expect(throws: CommandError.self) { try DataDirectory(path: path) }
            #expect(error?.description.contains("not a directory") == true)
        }
    }

    @Test("keeps secrets that are long, random, and stay")
    func secrets() async throws {
        try await ScratchDirectory.with { scratch in
            let path = "\(scratch.path)/secret"
            let secret = try SecretFile.readOrCreate(path)
            #expect(secret.count == 64)
            #expect(try SecretFile.readOrCreate(path) == secret)
            #expect(try SecretFile.readOrCreate("\(scratch.path)/other") != secret)
            #expect(try scratch.permissions("secret") == 0o600)
            try scratch.write("\n", to: "empty")
            #expect(throws: CommandError.self) { try SecretFile.read("\(scratch.path)/empty") }
        }
    }

    @Test("remembers what runs")
    func state() async throws {
        try await ScratchDirectory.with { scratch in
            let path = "\(scratch.path)/state.json"
            #expect(try FleetState.read(path) == nil)
            var state = FleetState()
            state.redisPort = 1_234
            state.children = [
                FleetState.Child(role: "redis", node: "redis", process: ProcessIdentity(pid: 5, startTime: .max))
            ]
            try state.write(path)
            #expect(try FleetState.read(path) == state)
            #expect(try scratch.permissions("state.json") == 0o600)
        }
    }

    @Test(
        "says what is wrong with a state that is damaged or of another version",
        arguments: [
            ("{", "damaged"), (#"{"version":1}"#, "damaged"), (#"{"version":2,"children":[]}"#, "version 2"),
        ])
    func badState(text: String, complaint: String) async throws {
        try await ScratchDirectory.with { scratch in
            let path = try scratch.write(text, to: "state.json")
            let error = #expect(throws: CommandError.self) { try FleetState.read(path) }
            #expect(error?.description.contains(complaint) == true, "\(String(describing: error))")
        }
    }

    @Test("keeps a port that is free and leaves one that is taken")
    func ports() throws {
        let port = try FreePort.choose(preferring: nil)
        #expect((1...65_535).contains(port))
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        #expect(isListening && listen(descriptor, 1) == 0)
        let taken = Int(UInt16(bigEndian: address.sin_port))
        #expect(try FreePort.choose(preferring: taken) != taken)
    }

    @Test("must be passable for the user of Postgres, all the way down")
    func reach() async throws {
        try await ScratchDirectory.with { scratch in
            let closed = "\(scratch.path)/closed"
            try FileManager.default.createDirectory(
                atPath: closed + "/inner", withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
            let stranger = SystemUser(name: "stranger", userID: 54_321, groupID: 54_321)
            #expect(PostgresPlace.reaches(stranger, closed + "/inner"))
            chmod(closed, 0o700)
            #expect(!PostgresPlace.reaches(stranger, closed + "/inner"))
            let owner = SystemUser(name: "owner", userID: getuid(), groupID: getgid())
            #expect(PostgresPlace.reaches(owner, closed + "/inner"))
            #expect(!PostgresPlace.reaches(owner, closed + "/missing"))
        }
    }

    @Test("has its cluster inside where the user of Postgres can reach it, and else under the id it holds")
    func postgresPlace() async throws {
        try await ScratchDirectory.with { scratch in
            let elsewhere = "\(scratch.path)/elsewhere"
            func place(_ directory: DataDirectory) throws -> String {
                try PostgresPlace.choose(for: directory.paths, isRoot: true, elsewhere: elsewhere).directory
            }
            let open = try DataDirectory(path: "\(scratch.path)/data")
            #expect(try place(open) == open.paths.postgres)
            #expect(!FileManager.default.fileExists(atPath: elsewhere))

            let path = "\(scratch.path)/closed/data"
            var closed: DataDirectory? = try DataDirectory(path: path)
            chmod("\(scratch.path)/closed", 0o700)
            let first = try place(try #require(closed))
            #expect(first.hasPrefix("\(elsewhere)/"))
            let home = URL(fileURLWithPath: first).deletingLastPathComponent().path
            #expect(try SecretFile.read("\(home)/belongs-to") == path)
            #expect(try place(try #require(closed)) == first)
            // A cluster stays where it was made, also when the data directory has become passable.
            try FileManager.default.createDirectory(atPath: first, withIntermediateDirectories: true)
            try "15\n".write(toFile: "\(first)/PG_VERSION", atomically: true, encoding: .utf8)
            chmod("\(scratch.path)/closed", 0o755)
            #expect(try place(try #require(closed)) == first)
            chmod("\(scratch.path)/closed", 0o700)

            closed = nil
            try FileManager.default.removeItem(atPath: path)
            closed = try DataDirectory(path: path)
            let second = try place(try #require(closed))
            #expect(second.hasPrefix("\(elsewhere)/"))
            #expect(second != first, "a fresh directory starts fresh")
        }
    }

    @Test("that is a link has its cluster where the link leads; a cluster of another user is refused by name")
    func linkedAndForeign() async throws {
        try await ScratchDirectory.with { scratch in
            let elsewhere = "\(scratch.path)/elsewhere"
            _ = try DataDirectory(path: "\(scratch.path)/closed/data")
            try FileManager.default.createSymbolicLink(
                atPath: "\(scratch.path)/link", withDestinationPath: "\(scratch.path)/closed/data")
            chmod("\(scratch.path)/closed", 0o700)
            let paths = DataDirectoryPaths("\(scratch.path)/link")
            let place = try PostgresPlace.choose(for: paths, isRoot: true, elsewhere: elsewhere)
            #expect(place.directory.hasPrefix("\(elsewhere)/"))

            // The test's own user made it, who is not the one that root runs Postgres as.
            let foreign = try DataDirectory(path: "\(scratch.path)/foreign")
            try FileManager.default.createDirectory(atPath: foreign.paths.postgres, withIntermediateDirectories: true)
            try "15\n".write(
                toFile: "\(foreign.paths.postgres)/PG_VERSION", atomically: true, encoding: .utf8)
            let error = #expect(throws: CommandError.self) {
                try PostgresPlace.choose(for: foreign.paths, isRoot: true, elsewhere: elsewhere)
            }
            #expect(error?.description.contains("belongs to") == true)
        }
    }

    @Test("whose cluster cannot be reached any more is refused, and not started afresh")
    func unreachableCluster() async throws {
        try await ScratchDirectory.with { scratch in
            let directory = try DataDirectory(path: "\(scratch.path)/closed/data")
            try FileManager.default.createDirectory(
                atPath: directory.paths.postgres, withIntermediateDirectories: true)
            try "15\n".write(
                toFile: "\(directory.paths.postgres)/PG_VERSION", atomically: true, encoding: .utf8)
            chmod("\(scratch.path)/closed", 0o700)
            let error = #expect(throws: CommandError.self) {
                try PostgresPlace.choose(
                    for: directory.paths, isRoot: true, elsewhere: "\(scratch.path)/elsewhere")
            }
            #expect(error?.description.contains("chmod o+x") == true)
        }
    }
}
