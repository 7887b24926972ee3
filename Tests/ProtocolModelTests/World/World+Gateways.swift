// Gateways: what they decide, and what they make of answers.
extension World {
    mutating func gateway(_ step: Step) -> Bool {
        switch step {
        case .receive(let device): return receive(from: device)
        case .flush(let index, let session):
            return isUp(.gateway(index)) && gateways[index].flush(session)
        case .check(let index, let session):
            guard isUp(.gateway(index)), let known = gateways[index].sessions[session], let epoch = known.epoch else {
                return false
            }
            gateways[index].send(.tail(session: session, epoch: epoch, through: known.acknowledged))
            return true
        case .end(let index, let session):
            guard isUp(.gateway(index)), let device = gateways[index].sessions[session]?.device,
                gateways[index].end(session)
            else { return false }
            if isLinked(device, to: index, session) { devices[device].link?.down.append(.closed) }
            return true
        case .beat(let index):
            guard isUp(.gateway(index)) else { return false }
            gateways[index].send(.beat(gateways[index].start))
            return true
        default: return false
        }
    }

    func isLinked(_ device: Int, to gateway: Int, _ session: Int) -> Bool {
        devices[device].link?.gateway == gateway && devices[device].link?.session == session
    }

    private mutating func receive(from device: Int) -> Bool {
        guard let link = devices[device].link, let message = link.up.first, isUp(.gateway(link.gateway)) else {
            return false
        }
        devices[device].link?.up.removeFirst()
        guard let session = gateways[link.gateway].sessions[link.session] else { return true }
        switch message {
        case .frame(let number):
            if number == session.received { gateways[link.gateway].sessions[link.session]?.received += 1 }
        case .bye:
            _ = gateways[link.gateway].end(link.session)
            devices[device].link = nil
        }
        return true
    }

    /// A reply has come to a gateway.
    mutating func answered(_ answer: Channel.Answer, gateway index: Int) {
        if !gateways[index].unanswered.isEmpty { gateways[index].unanswered.removeFirst() }
        switch (answer.request, answer.reply) {
        case (.register(let registration), .granted(let grant)): registered(registration, grant, gateway: index)
        case (.register(let registration), _): drop(registration.session, gateway: index)
        case (.append(let session, _, _), .refused):
            gateways[index].sessions[session]?.hasFailed = true
            cutLink(of: session, gateway: index)
            _ = gateways[index].end(session)
        case (.tail(let session, _, let through), .holds(let holds)):
            checked(session, through: through, holds: holds || !rules.checksTail, gateway: index)
        case (.end(let session, _, _), .ended(.full)):
            if let request = gateways[index].sessions[session]?.epoch.map({
                Request.end(session: session, epoch: $0, gateway: gateways[index].start)
            }) {
                gateways[index].send(request)
            }
        case (.end(let session, _, _), .ended): drop(session, gateway: index)
        default: break
        }
    }

    private mutating func registered(_ request: Registration, _ grant: Registration.Grant, gateway index: Int) {
        guard gateways[index].sessions[request.session]?.epoch == nil else { return }
        gateways[index].sessions[request.session]?.epoch = grant.epoch
        gateways[index].sessions[request.session]?.received = grant.from
        gateways[index].sessions[request.session]?.appended = grant.from
        gateways[index].sessions[request.session]?.acknowledged = grant.from
        if isLinked(request.device, to: index, request.session) { welcome(request.device, from: grant.from) }
    }

    private mutating func checked(_ id: Int, through: Int, holds: Bool, gateway index: Int) {
        guard let session = gateways[index].sessions[id], let epoch = session.epoch, !session.hasFailed else { return }
        guard holds else {
            cutLink(of: id, gateway: index)
            gateways[index].sessions[id] = nil
            return
        }
        guard through > session.acknowledged else { return }
        gateways[index].sessions[id]?.acknowledged = through
        if isLinked(session.device, to: index, id) {
            devices[session.device].acknowledged = max(devices[session.device].acknowledged, through)
            devices[session.device].link?.down.append(.acknowledged(through))
        }
        gateways[index].send(.last(session: id, epoch: epoch, count: through))
    }

    private mutating func drop(_ session: Int, gateway index: Int) {
        cutLink(of: session, gateway: index)
        gateways[index].sessions[session] = nil
    }

    private mutating func cutLink(of session: Int, gateway index: Int) {
        guard let device = gateways[index].sessions[session]?.device, isLinked(device, to: index, session) else {
            return
        }
        devices[device].unlink()
    }
}
