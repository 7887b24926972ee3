import Foundation
import Subprocess
import Testing

@testable import EarshotCommands

/// `earshot up` under the users and in the places there are.
@Suite("earshot up, for whom and where", .serialized, .timeLimit(.minutes(5)))
struct UpForWhomTests {
    private func postgresDirectory(_ data: String) throws -> String {
        try #require(try FleetState.read("\(data)/state.json")?.postgresDirectory)
    }

    @Test("Below a directory that is root's alone the cluster lies elsewhere, says so, and goes on with its directory")
    func closedParent() async throws {
        try await ScratchDirectory.with { scratch in
            let closed = "\(scratch.path)/closed"
            try FileManager.default.createDirectory(
                atPath: closed, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            let data = "\(closed)/data"
            let programs = try StandInPrograms(in: scratch)
            var places: [String] = []
            defer {
                for place in places where place.hasPrefix(PostgresPlace.elsewhere) {
                    let home = URL(fileURLWithPath: place).deletingLastPathComponent()
                    try? FileManager.default.removeItem(at: home)
                }
            }
            for start in ["first", "second", "fresh"] {
                if start == "fresh" { try FileManager.default.removeItem(atPath: data) }
                let end = try await RunningFleet.with(in: scratch, programs: programs, data: data) { fleet in
                    #expect(fleet.ready?.ready == true)
                }
                #expect(end.status == .exited(0), "\(end.log)")
                places.append(try postgresDirectory(data))
                #expect(end.log.contains("making a Postgres cluster") == (start != "second"), "\(end.log)")
                // Who is not root is the cluster's user, and reaches it.
                #expect(end.log.contains("keeps its files elsewhere") == SystemUser.isRoot, "\(end.log)")
                #expect(!SystemUser.isRoot || end.log.contains(places[places.count - 1]), "\(end.log)")
            }
            #expect(places[0] == places[1])
            #expect((places[2] == places[0]) == !SystemUser.isRoot, "a fresh directory starts fresh")
        }
    }

    @Test("It works for an ordinary user, with everything in the data directory, and leaves nothing")
    func ordinaryUser() async throws {
        try await ScratchDirectory.with { scratch in
            // Where the tests run as root the checkout may be closed to everybody else.
            let home = "\(scratch.path)/home"
            try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
            let program = "\(scratch.path)/earshot"
            try FileManager.default.copyItem(atPath: RunningFleet.earshot, toPath: program)
            let migrations = try #require(try? InstalledFiles().migrations(explicit: nil))
            try FileManager.default.copyItem(atPath: migrations, toPath: "\(scratch.path)/migrations")
            var command = [program]
            let owner = SystemUser.isRoot ? try #require(SystemUser(named: "nobody")).userID : getuid()
            if SystemUser.isRoot {
                let nobody = try #require(SystemUser(named: "nobody"))
                #expect(chown(home, nobody.userID, nobody.groupID) == 0)
                command = try nobody.command(command)
            }
            let seen = Seen()
            let end = try await RunningFleet.with(
                in: scratch, programs: try StandInPrograms(in: scratch), data: "\(home)/data", command: command,
                environment: ["EARSHOT_MIGRATIONS_DIR": "\(scratch.path)/migrations", "HOME": home]
            ) { fleet in
                let ready = try #require(fleet.ready)
                #expect(ready.ready)
                seen.set(ready.pids.values.joined().compactMap { ProcessIdentity(pid: $0) })
                for pid in ready.pids.values.joined() {
                    let attributes = try FileManager.default.attributesOfItem(atPath: "/proc/\(pid)")
                    #expect((attributes[.ownerAccountID] as? NSNumber)?.uint32Value == owner)
                }
            }
            #expect(end.status == .exited(0), "\(end.log)")
            #expect(!end.log.contains("keeps its files elsewhere"), "\(end.log)")
            #expect(try postgresDirectory("\(home)/data") == "\(home)/data/pg")
            #expect(seen.processes.count == 9)
            #expect(seen.processes.filter(\.isAlive) == [])
        }
    }

    @Test("A token is for the eyes at a terminal: it stands in no pipe, no JSON and no log")
    func token() async throws {
        try await ScratchDirectory.with { scratch in
            let programs = try StandInPrograms(in: scratch)
            let terminal = try await SpokenStart.run(in: scratch, programs: programs, isTerminal: true)
            #expect(terminal.output.contains("a token for the user demo, good for 24 hours"), "\(terminal.output)")
            #expect(terminal.output.contains("eyJ"))
            let pipe = try await SpokenStart.run(in: scratch, programs: programs, isTerminal: false)
            #expect(pipe.output.contains("Earshot is up."), "\(pipe.output)")
            let json = try await SpokenStart.run(
                in: scratch, programs: programs, isTerminal: true, arguments: ["--json"])
            #expect(json.output.contains(#""ready":true"#), "\(json.output)")
            // Every JWT's header begins so.
            for text in [pipe.output, json.output, terminal.log, pipe.log, json.log] {
                #expect(!text.contains("eyJ"), "\(text)")
            }
        }
    }
}
