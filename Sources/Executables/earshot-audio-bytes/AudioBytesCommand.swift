import ArgumentParser

/// `earshot-audio-bytes`: not assembled yet.
@main
struct AudioBytesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "earshot-audio-bytes")

    func run() async throws {}
}
