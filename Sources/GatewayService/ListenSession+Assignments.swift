import AudioStreams
import CoreMetrics
import EarshotModel
import Logging
import NIOCore

// What `speaker_assigned` does (omi.md 1.6): stored audio of the segments may teach the person's voice.
extension ListenSession {
    /// Queues a request for a sample; the owner's own voice is not learnt so, and without stored audio nothing is.
    func assign(_ assignment: SpeakerAssignment) {
        guard let registration, registration.grant.flags.contains(.privateCloud), assignment.person != KnownVoice.owner,
            isWithinBudget()
        else { return loop.metrics.ignored("speaker_assigned") }
        let request = SpeakerSampleRequest(
            user: registration.user, conversation: registration.grant.conversation, person: assignment.person,
            personName: assignment.personName, segments: assignment.segments, at: WallClock.microseconds)
        loop.appender.requestSample(request, in: registration.partition) { [loop, logger] result in
            guard case .failure(let error) = result else { return loop.metrics.samplesRequested.increment() }
            loop.metrics.samplesLost.increment()
            logger.error("a request for a sample was refused", metadata: ["error": "\(error)"])
        }
    }

    private func isWithinBudget() -> Bool {
        if loop.now - samplesAsked.since >= .seconds(60) { samplesAsked = (0, loop.now) }
        samplesAsked.count += 1
        return samplesAsked.count <= loop.configuration.limits.speakerAssignmentsMaximum
    }
}
