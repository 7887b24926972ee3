import ArgumentParser
import ChaosHarness

/// The entry point; everything is in `ChaosHarness`.
@main
enum EarshotChaos {
    static func main() async { await ChaosCommand.main() }
}
