import ArgumentParser

/// `earshot-speaker-sample`: not assembled yet.
@main
struct SpeakerSampleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "earshot-speaker-sample")

    func run() async throws {}
}
