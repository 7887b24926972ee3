import EarshotCommands
import Glibc

/// `earshot`: the operator's command line; what it does is in `EarshotCommands`.
@main
enum Earshot {
    static func main() async {
        exit(await EarshotCommand.run())
    }
}
