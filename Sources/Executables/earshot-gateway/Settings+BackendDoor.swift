import GatewayService
import ServiceBootstrap

extension Settings {
    /// The back-end door: `EARSHOT_BACKEND_KEYS`, `EARSHOT_BACKEND_INTERNAL_NETWORK`, `EARSHOT_BACKEND_STRICT`.
    func backendDoor() throws -> BackendDoor {
        let keys = try secret("backend.keys")?.revealed.split { $0 == "," || $0 == " " } ?? []
        let door = BackendDoor(
            keys: keys.map(String.init), isInternalNetwork: try bool("backend.internal.network", default: false),
            isStrict: try bool("backend.strict", default: false))
        guard let door else {
            throw error("backend.keys", problem: "a key is too short or not printable", allowed: BackendDoor.keyRule)
        }
        return door
    }
}
