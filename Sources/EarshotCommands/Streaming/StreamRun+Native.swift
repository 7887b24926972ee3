import AudioCodecs
import EarshotClient
import Foundation
import NIOPosix

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

// `earshot stream --native`: uploads by the reference client of `/v1/stream`.
extension StreamRun {
    func runNative(_ device: StreamPlan.Device, index: Int) async -> StreamResult {
        var configuration = UploadConfiguration(url: plan.endpoint)
        configuration.token = { [token] in try await token(device.uid) }
        configuration.linger = .seconds(plan.lingerSeconds)
        configuration.lingerMax = .seconds(max(plan.lingerSeconds, plan.lingerMaximumSeconds))
        configuration.observer = { observer(index, $0) }
        do {
            let report = try await DeviceUpload(configuration, source: try plan.source(of: stream))
                .run(on: MultiThreadedEventLoopGroup.singleton)
            return StreamResult(uid: device.uid, upload: report)
        } catch {
            return StreamResult(uid: device.uid, failure: error)
        }
    }
}

extension StreamPlan {
    /// Standard input, as a microphone's pipe.
    static let pipeName = "-"

    /// Whether the file is sent as it is: packets out of Ogg, or a pipe.
    var isPipe: Bool { isNative && file == Self.pipeName }
    var isOgg: Bool { isNative && (file.hasSuffix(".opus") || file.hasSuffix(".ogg")) }

    /// What a display needs to know of audio that is sent as it is; a pipe's length is not known.
    func sentAsItIs() throws -> DeviceStream? {
        if isPipe {
            guard codec == .pcm8 || codec == .pcm16, sessions == 1 else {
                throw CommandError("standard input is PCM of one device: use --codec pcm16 or pcm8, and one session")
            }
            return try DeviceStream(samples: [], sampleRate: sampleRate, codec: codec, wireSampleRate: sampleRate)
        }
        guard isOgg else { return nil }
        let samples = try readOgg().decode(sampleRate: 48_000)
        return try DeviceStream(samples: samples, sampleRate: 48_000, codec: .pcm16, wireSampleRate: 48_000)
    }

    func source(of stream: DeviceStream) throws -> any UploadSource {
        if isPipe { return PCMPipeSource(descriptor: dup(STDIN_FILENO), codec: codec, sampleRate: sampleRate) }
        guard isOgg else { return RecordingSource(stream, speed: speed) }
        return OggOpusSource(try readOgg(), speed: speed)
    }

    private func readOgg() throws -> OggOpusFile {
        guard let handle = FileHandle(forReadingAtPath: file) else { throw CommandError("\(file) cannot be read") }
        let bytes = try handle.read(upToCount: OggOpusReader.bytesMax + 1) ?? Data()
        return try OggOpusReader.read([UInt8](bytes))
    }
}

extension StreamResult {
    /// A device that uploaded.
    init(uid: String, upload report: UploadReport) {
        self.init(uid: uid, outcome: report.outcome == .completed ? "completed" : "failed")
        if report.outcome != .completed { error = Self.explanation(report) }
        closeCode = report.closeCode.map(Int.init)
        closeReason = report.closeReason.isEmpty ? nil : report.closeReason
        sentMessages = Int(report.messageCount)
        sentSeconds = report.duration.inSeconds
        acknowledgedMessages = Int(report.acknowledgedCount)
        durability = report.durability?.rawValue
        chain = report.sessions
        reconnects = report.reconnectCount
        sessionID = report.sessions.last
        conversationID = report.conversation
        text = report.transcript.text
        segments = report.transcript.segments.map {
            Segment(id: $0.id, text: $0.text, start: $0.start, end: $0.end, speaker: $0.speaker)
        }
    }

    private static func explanation(_ report: UploadReport) -> String {
        switch report.outcome {
        case .completed, nil: "nothing is known"
        case .takenOver: "another connection resumed the session"
        case .closedByServer(let code): "the server closed for good with \(code) (\(report.closeReason))"
        case .refused(let status): "the server refused the device with HTTP \(status)"
        case .unreachable: "no session came about for too long"
        case .unacknowledged:
            "only \(report.acknowledgedCount) of \(report.messageCount) messages were acknowledged in time"
        case .brokenProtocol: "the server said something that cannot be"
        }
    }
}
