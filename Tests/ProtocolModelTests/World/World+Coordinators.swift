// Coordinators: what they decide, and what they make of answers.
extension World {
    mutating func coordinator(_ step: Step) -> Bool {
        switch step {
        case .observe(let index):
            guard isUp(.coordinator(index)) else { return false }
            coordinators[index].channel.requests.append(.observe)
        case .trim(let index):
            guard isUp(.coordinator(index)), let token = coordinators[index].lease.token else { return false }
            coordinators[index].channel.requests.append(
                .trim(token: token, minimum: coordinators[index].lowestPosition))
        case .settle(let index, let conversation, let isTimedOut):
            guard isUp(.coordinator(index)), let token = coordinators[index].lease.token,
                store.conversations[conversation] != nil
            else { return false }
            coordinators[index].channel.requests.append(
                .settle(
                    conversation: conversation, times: coordinators[index].times[conversation] ?? 0,
                    isTimedOut: isTimedOut, token: token))
        default: return false
        }
        return true
    }

    mutating func answered(_ answer: Channel.Answer, coordinator index: Int) {
        guard !answeredLease(answer, .coordinator(index)) else { return }
        switch (answer.request, answer.reply) {
        case (_, .observed(let observation)):
            for orphan in coordinators[index].saw(observation) {
                coordinators[index].channel.requests.append(
                    .end(session: orphan.session, epoch: nil, gateway: orphan.gateway))
            }
        case (.trim(let token, _), .trimmed(nil)), (.settle(_, _, _, let token), .settled(.fenced)):
            if coordinators[index].lease.token == token { coordinators[index].lease.lose() }
        case (.settle(let conversation, _, _, _), .settled(.completedBefore(let times))):
            coordinators[index].times[conversation] = times
        default: break
        }
    }

    mutating func deliver(_ answer: Channel.Answer, to actor: Actor) {
        if !rules.voidsBeforeSending, notice(actor) { return }
        switch actor {
        case .gateway(let index): answered(answer, gateway: index)
        case .worker(let index): answered(answer, worker: index)
        case .coordinator(let index): answered(answer, coordinator: index)
        }
    }
}
