/// Two workers and one object: a part is cut, uploaded and reported, and the upload cannot be fenced (C3).
struct PartUpload: Hashable, Sendable {
    enum Phase: Hashable, Sendable {
        case idle
        /// The bounds are chosen, and with the rule on their way into the registry.
        case cut
        case uploading
        case reporting
        case over
    }

    struct Worker: Hashable, Sendable {
        var phase = Phase.idle
        var token = 0
        var to = 0
    }

    /// Whether the bounds are committed before the upload begins, and the key carries them.
    let commitsBoundsFirst: Bool
    /// Frames there are to cut: more with every look.
    let frames: Int
    var token = 0
    var bounds: Int?
    /// What each key holds: its last frame.
    var objects: [Int: Int] = [:]
    /// What the committed event names: the key, and the last frame it promises.
    var stored: Stored?
    var workers = [Worker(), Worker()]

    struct Stored: Hashable, Sendable {
        let key: Int
        let to: Int
    }

    init(commitsBoundsFirst: Bool, frames: Int) {
        self.commitsBoundsFirst = commitsBoundsFirst
        self.frames = frames
    }

    /// Every state that one step of one worker leads to.
    var successors: [PartUpload] {
        workers.indices.flatMap { index -> [PartUpload] in
            switch workers[index].phase {
            case .idle: (1...frames).map { to in after { $0.begin(index, to: to) } }
            case .cut: [after { $0.upload(index) }]
            case .uploading: [after { $0.finishUpload(index) }]
            case .reporting: [after { $0.report(index) }]
            case .over: []
            }
        }
    }

    private func after(_ step: (inout PartUpload) -> Void) -> PartUpload {
        var next = self
        step(&next)
        return next
    }

    /// The event names an object that holds just what it says.
    var isSound: Bool { stored.map { objects[$0.key] == $0.to } ?? true }

    /// Takes the lease and cuts a part at a place of its own.
    private mutating func begin(_ index: Int, to: Int) {
        guard stored == nil else {
            workers[index].phase = .over
            return
        }
        token += 1
        workers[index] = Worker(phase: .cut, token: token, to: bounds ?? to)
    }

    private mutating func upload(_ index: Int) {
        if commitsBoundsFirst {
            guard workers[index].token == token else {
                workers[index].phase = .over
                return
            }
            bounds = workers[index].to
        }
        workers[index].phase = .uploading
    }

    private func key(_ worker: Worker) -> Int { commitsBoundsFirst ? worker.to : 0 }

    /// The object store takes the bytes, whoever sends them and however late.
    private mutating func finishUpload(_ index: Int) {
        objects[key(workers[index])] = workers[index].to
        workers[index].phase = .reporting
    }

    private mutating func report(_ index: Int) {
        if workers[index].token == token, stored == nil {
            stored = Stored(key: key(workers[index]), to: workers[index].to)
        }
        workers[index].phase = .over
    }
}
