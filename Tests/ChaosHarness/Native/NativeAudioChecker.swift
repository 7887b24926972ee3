/// (i) What a native device had acknowledged, in whatever session, is stored once and in order, byte for byte.
struct NativeAudioChecker: Checker {
    let name = "native_audio"

    func check(_ evidence: Evidence) async throws -> CheckResult {
        guard try await evidence.hasTable("audio_parts"), evidence.stage.fleet.roles["private-cloud"] != nil else {
            return CheckResult(name, missing: "no stored audio in the fleet")
        }
        return NativeAudio(parts: try await StoredParts(evidence.stage), chains: evidence.chains)
            .compare(evidence.uploads, mustBeWhole: true)
    }
}
