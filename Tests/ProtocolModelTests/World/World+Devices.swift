// Devices and their side of a connection.
extension World {
    mutating func device(_ step: Step) -> Bool {
        switch step {
        case .connect(let device, let gateway): return connect(device, to: gateway)
        case .send(let index):
            guard let next = devices[index].link?.next, next < devices[index].total else { return false }
            devices[index].link?.up.append(.frame(next))
            devices[index].link?.next = next + 1
        case .bye(let index):
            guard let link = devices[index].link, link.next != nil, link.up.last != .bye else { return false }
            guard devices[index].forgotten == devices[index].total || !devices[index].resumes else { return false }
            devices[index].link?.up.append(.bye)
            devices[index].isOver = true
        case .hear(let index):
            guard let link = devices[index].link, !link.down.isEmpty else { return false }
            devices[index].hear()
        case .unlink(let index):
            guard devices[index].link != nil else { return false }
            devices[index].unlink()
        default: return false
        }
        return true
    }

    /// A device connects: to its detached session, if this gateway still has it, else to a new one.
    private mutating func connect(_ index: Int, to gateway: Int) -> Bool {
        guard devices[index].link == nil, !devices[index].isOver, isUp(.gateway(gateway)) else { return false }
        if let id = detachedSession(of: index, at: gateway), let session = gateways[gateway].sessions[id] {
            guard session.epoch != nil else { return false }
            devices[index].link = DeviceModel.Link(gateway: gateway, session: id)
            welcome(index, from: session.acknowledged)
            return true
        }
        let session = draw()
        gateways[gateway].sessions[session] = GatewayModel.Session(
            device: index, epoch: nil, received: 0, appended: 0, acknowledged: 0)
        gateways[gateway].send(
            .register(
                Registration(
                    device: index, session: session, gateway: gateways[gateway].start,
                    nonce: rules.drawsNonces ? session : 0, first: devices[index].forgotten,
                    resumes: configuration.resumes)))
        devices[index].link = DeviceModel.Link(gateway: gateway, session: session)
        return true
    }

    /// The session to which a device may attach again: one that has all that the device has no more.
    ///
    /// What another gateway acknowledged meanwhile is missing here for ever.
    private func detachedSession(of device: Int, at gateway: Int) -> Int? {
        gateways[gateway].sessions.keys.sorted().last { id in
            guard let session = gateways[gateway].sessions[id], session.device == device else { return false }
            let isWhole = session.epoch == nil || session.received >= devices[device].forgotten
            return !session.isEnding && !session.hasFailed && (isWhole || !rules.reattachesOnlyWhole)
        }
    }

    /// Tells a device from where to send, which tells it what it may forget.
    mutating func welcome(_ index: Int, from: Int) {
        devices[index].acknowledged = max(devices[index].acknowledged, from)
        devices[index].link?.down.append(.welcome(from: from))
    }
}
