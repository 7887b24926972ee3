import Foundation

/// Kaldi's filter bank by the Python package kaldi-native-fbank, with each band's mean taken away.
enum PythonFilterBank {
    private static let script = """
        import sys, numpy, kaldi_native_fbank as knf
        options = knf.FbankOptions()
        options.frame_opts.samp_freq = 16000
        options.frame_opts.dither = 0
        options.frame_opts.window_type = "hamming"
        options.mel_opts.num_bins = 80
        fbank = knf.OnlineFbank(options)
        samples = numpy.fromfile(sys.argv[1], dtype="<f4")
        fbank.accept_waveform(16000, (samples * 32768).tolist())
        fbank.input_finished()
        frames = numpy.stack([fbank.get_frame(i) for i in range(fbank.num_frames_ready)])
        (frames - frames.mean(axis=0)).astype("<f4").tofile(sys.argv[2])
        """

    static func frames(of samples: [Float]) throws -> [Float] {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("fbank-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let input = directory.appendingPathComponent("in.f32")
        let output = directory.appendingPathComponent("out.f32")
        try samples.withUnsafeBytes { Data($0) }.write(to: input)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = ["-c", script, input.path, output.path]
        do { try process.run() } catch {
            throw SpeechFixture.Missing(description: "\(python) is missing; run scripts/fetch-python")
        }
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw SpeechFixture.Missing(description: "kaldi-native-fbank is missing; run scripts/fetch-python")
        }
        let bytes = try Data(contentsOf: output)
        return bytes.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    }

    private static var python: String {
        if let path = ProcessInfo.processInfo.environment["EARSHOT_TEST_PYTHON"], !path.isEmpty { return path }
        let file = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        return file.deletingLastPathComponent().appendingPathComponent("../../.cache/python/bin/python").standardized
            .path
    }
}
