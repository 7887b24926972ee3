import AudioStreams
import EarshotModel
import Foundation
import Synchronization

/// Asks for voice samples of what devices have said, as people do who assign segments to somebody.
final class SampleRequests: Sendable {
    /// A request is handled when it is 120 s old, at the next multiple of 15 s; so much before the end none is made,
    /// that nothing is under way when everything has to be quiet.
    private static let lead = 180.0
    private static let segmentsMaximum = 8
    /// One device in so many asks: a sample is two seconds of a core, and the devices' speech leaves little of two.
    private static let devicesAnAsker = 2

    private let stage: Stage
    private let handOff: RedisHandOff
    private let made = Mutex<[SpeakerSampleRequest]>([])

    init(_ stage: Stage) {
        self.stage = stage
        handOff = RedisHandOff(client: stage.view.client, keys: stage.view.keys, limits: Limits())
    }

    var asked: [SpeakerSampleRequest] { made.withLock(\.self) }

    /// Asks for one of a session that went well.
    func ask(for outcome: SessionOutcome, before end: Double) async {
        guard stage.fleet.roles["speaker-sample"] != nil, outcome.isWhole, outcome.ended < end - Self.lead,
            outcome.device.isMultiple(of: Self.devicesAnAsker),
            let conversation = outcome.conversation, !outcome.segments.isEmpty,
            let user = UserID(DeviceFleet.user(outcome.device))
        else { return }
        let request = SpeakerSampleRequest(
            user: user, conversation: conversation, person: "user", personName: nil,
            segments: Array(outcome.segments.prefix(Self.segmentsMaximum)),
            at: Int64(Date().timeIntervalSince1970 * 1_000_000))
        // What is told to have failed may have been written all the same: then it has an outcome, and needs none.
        guard
            (try? await handOff.requestSample(
                request, in: Partition(of: user, count: stage.view.partitions.count))) != nil
        else { return }
        made.withLock { $0.append(request) }
    }
}
