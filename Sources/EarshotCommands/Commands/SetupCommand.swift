import ArgumentParser
import Foundation
import ServiceBootstrap
import SpeechEngine
import Subprocess
import SystemPackage

/// `earshot setup`: gets what Earshot needs beside itself.
struct SetupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "setup", abstract: "Installs what is missing, and checks that all is there and undamaged.",
        discussion: """
            In a checkout it runs scripts/install-packages (Debian packages, with sudo when not root) and \
            scripts/fetch-speech (the speech engine, against pinned SHA-256 sums). Then, and with --check only, \
            it looks at everything. Exit code 0 says that nothing is missing.
            """)

    @Option(
        help: ArgumentHelp(
            "Where the speech engine's files are (default: $EARSHOT_SPEECH_DIR, else .cache/speech).", valueName: "dir")
    )
    var speechDir: String?

    @Flag(help: "Changes nothing.")
    var check = false

    func run() async throws {
        let installed = InstalledFiles()
        let speech = speechDir ?? Settings().text("speech.dir")
        if !check {
            try await Self.runScript("install-packages", arguments: [], in: installed)
            try await Self.runScript("fetch-speech", arguments: speech.map { [$0] } ?? [], in: installed)
        }
        let checklist = SetupChecklist(speech: speech ?? installed.speech, installed: installed)
        let findings = checklist.findings()
        for finding in findings { ConsoleOutput.line(finding.description) }
        guard findings.allSatisfy({ $0.problem == nil }) else {
            throw CommandError("not everything is there" + (check ? "; run `earshot setup`" : ""))
        }
    }

    /// Runs a script of the checkout; outside of one there is nothing to run, and the check says what is missing.
    private static func runScript(_ name: String, arguments: [String], in installed: InstalledFiles) async throws {
        guard let path = installed.script(name) else {
            ConsoleOutput.line("no scripts/\(name) here (this is no checkout): only checking")
            return
        }
        // In the same process group: it may ask for sudo's password, and Ctrl-C is for it, too.
        let result = try await Subprocess.run(
            .path(FilePath(path)), arguments: Arguments(arguments), input: .currentStandardInput,
            output: .currentStandardOutput, error: .currentStandardError)
        guard result.terminationStatus.isSuccess else {
            throw CommandError("\(path) failed; its messages are above")
        }
    }
}
