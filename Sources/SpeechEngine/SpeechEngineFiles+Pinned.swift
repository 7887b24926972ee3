extension SpeechEngineFiles {
    #if arch(arm64)
        private static let pinnedLibraries = [
            PinnedFile(
                path: "moonshine_voice/libmoonshine.so", byteCount: 42_717_104,
                sha256: "2c726cd0e089d228739d15ee6bac3eb878e24c7a08906a9ddaea851b0eac2a15"),
            PinnedFile(
                path: "moonshine_voice.libs/libonnxruntime-ab8c4363.so.1", byteCount: 18_762_288,
                sha256: "2723a421531e984cf053ead965b8ea00c88a0353dce17b622bc82e752ef6752f"),
        ]
    #else
        private static let pinnedLibraries = [
            PinnedFile(
                path: "moonshine_voice/libmoonshine.so", byteCount: 42_174_832,
                sha256: "fb1bd80f6909557dff337946c971ae48d58da28620cf15a861f6e8a9ff613556"),
            PinnedFile(
                path: "moonshine_voice.libs/libonnxruntime-13ab8084.so.1", byteCount: 22_346_464,
                sha256: "c0995ae1102b871426e7bddf625451d6c19f12d0b6d79786218cbb77c2de865c"),
        ]
    #endif

    /// The files of the one release whose layouts `CSpeechEngine` declares; scripts/fetch-speech has the same sums.
    static let pinned =
        pinnedLibraries + [
            PinnedFile(
                path: "moonshine_voice/assets/tiny-en/encoder_model.ort", byteCount: 13_281_600,
                sha256: "94e90a4654fc45cdfedb77c4c08e1739f48862998e58fada384b25118134f221"),
            PinnedFile(
                path: "moonshine_voice/assets/tiny-en/decoder_model_merged.ort", byteCount: 30_412_256,
                sha256: "cf524c4862d36e9e5ab032eddc73637efd822d70e868ac575cf1a46e1e4708a0"),
            PinnedFile(
                path: "moonshine_voice/assets/tiny-en/tokenizer.bin", byteCount: 249_974,
                sha256: "6884b35fd6377d4c4d32336a0bc152f36b64d1e45b6503683cdc238250a8472d"),
        ]
}
