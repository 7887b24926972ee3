package import EarshotModel

/// The groups that count for trimming and completion (protocol.md C6), by the stream they consume.
package struct EnabledGroups: Equatable, Sendable {
    package var audio: [WorkerGroup]
    package var events: [WorkerGroup]
    package var samples: [WorkerGroup]

    /// Makes a value.
    package init(
        audio: [WorkerGroup] = [.transcript], events: [WorkerGroup] = [.record], samples: [WorkerGroup] = []
    ) {
        self.audio = audio
        self.events = events
        self.samples = samples
    }

    /// Every group there is.
    package static let all = EnabledGroups(
        audio: [.transcript, .privateCloud, .audioBytes], events: [.record, .webhook], samples: [.speakerSample])

    /// Each stream with its groups.
    package var byStream: [(stream: StreamKind, groups: [WorkerGroup])] {
        [(.audio, audio), (.events, events), (.speakerSample, samples)]
    }
}
