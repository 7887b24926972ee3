/// What a run needs at least, so that each of its parts has something to do.
package enum RunRequirements {
    /// One device of each kind: with Opus and with PCM16 on `/v4/listen`, and a native one.
    package static let devicesMinimum = 3

    /// What is wrong with the devices of `run`, or nil.
    package static func problem(devices: Int) -> String? {
        guard devices < devicesMinimum else { return nil }
        return "--devices \(devices) is not allowed here; run needs at least \(devicesMinimum): every third device is "
            + "native, and the others send Opus and PCM16 in turn"
    }

    /// What is wrong with a list of processes, or nil; `earshot up` looks at the rest of it.
    package static func problem(workers: String?) -> String? {
        let items = (workers ?? "").split(separator: ",").map { $0.split(separator: "=", maxSplits: 1) }
        guard let item = items.last(where: { $0.first == "gateway" }) else { return nil }
        guard item.count == 2, let count = Int(item[1]), count >= 1 else {
            return "--workers \(item.joined(separator: "=")) is not allowed; devices need at least gateway=1"
        }
        return nil
    }
}
