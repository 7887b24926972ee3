// Workers: what they decide, and what they make of answers.
extension World {
    mutating func worker(_ step: Step) -> Bool {
        switch step {
        case .read(let index, let count):
            guard isUp(.worker(index)), let token = workers[index].lease.token, !workers[index].isReading else {
                return false
            }
            workers[index].isReading = true
            workers[index].channel.requests.append(
                .read(workers[index].lease.group, token: token, after: workers[index].cursor, count: count))
        case .look(let index, let session):
            guard isUp(.worker(index)), let token = workers[index].lease.token,
                workers[index].waiting.contains(where: { $0.session == session }),
                workers[index].lookingFor.insert(session).inserted
            else { return false }
            workers[index].channel.requests.append(.look(session: session, workers[index].lease.group, token: token))
        case .commit(let index, let session):
            guard isUp(.worker(index)), let commit = workers[index].draw(only: session) else { return false }
            workers[index].channel.requests.append(.commit(commit))
        default: return false
        }
        return true
    }

    mutating func answered(_ answer: Channel.Answer, worker index: Int) {
        guard !answeredLease(answer, .worker(index)) else { return }
        let token = workers[index].lease.token
        switch (answer.request, answer.reply) {
        case (.read(_, let asked, _, _), .entries(let entries)) where asked == token:
            workers[index].isReading = false
            workers[index].take(entries, rules)
        case (.look(let session, _, let asked), .session(let known, let predecessor)) where asked == token:
            workers[index].open(session, known, predecessor: predecessor, rules)
        case (.commit(let commit), .committed(let outcome)) where commit == workers[index].inDoubt:
            switch outcome {
            case .applied, .repeated:
                workers[index].inDoubt = nil
                workers[index].number = commit.number
                workers[index].committed = commit.position.position
            case .fenced, .outOfOrder: workers[index].abandon()
            case .full: workers[index].channel.requests.append(.commit(commit))
            }
        default: break
        }
    }
}
