import AudioCodecs

/// A recording as a device would send it, at its pace or another.
package struct RecordingSource: UploadSource {
    private let stream: DeviceStream
    private let speed: Double

    /// Plays a recording.
    ///
    /// - Parameters:
    ///   - stream: What is sent.
    ///   - speed: 1 is real time, 0 as fast as it is taken.
    package init(_ stream: DeviceStream, speed: Double) {
        self.stream = stream
        self.speed = speed
    }

    /// Gives each message when the last of its audio would have been recorded.
    @concurrent
    package func deliver(to take: @Sendable (UploadFrame) async throws -> Void) async throws {
        var iterator = try stream.makeIterator()
        let started = ContinuousClock.now
        while let message = try iterator.next() {
            if speed > 0 {
                let due = started + (message.offset + message.duration) / speed
                if due > .now { try await ContinuousClock().sleep(until: due) }
            }
            try await take(UploadFrame(payload: message.payload, duration: message.duration))
        }
    }
}
