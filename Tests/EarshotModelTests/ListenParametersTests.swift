import Testing

@testable import EarshotModel

@Suite struct ListenParametersTests {
    private func parse(_ query: String) throws -> ListenParameters {
        let parsed = try #require(QueryString.parse("/v4/listen?\(query)"))
        return try ListenParameters(query: parsed.items, limits: Limits())
    }

    @Test("Without parameters the contract's defaults hold")
    func defaults() throws {
        let session = try parse("").session
        #expect(session.codec == .pcm8)
        #expect(session.sampleRate == 8_000)
        #expect(session.language == "en")
        #expect(session.conversationTimeout == 120)
        #expect(session.source == nil)
    }

    @Test("What the mobile app sends is accepted, unknown parameters are ignored")
    func mobileApp() throws {
        let parameters = try parse(
            "language=en&sample_rate=16000&codec=opus_fs320&uid=u1&include_speech_profile=true&stt_service=parakeet"
                + "&conversation_timeout=120&source=omi&custom_stt=enabled&onboarding=enabled&capture_protocol=3")
        #expect(parameters.session.codec == .opusFS320)
        #expect(parameters.session.source == "omi")
        #expect(parameters.ignoredFeatures == ["custom_stt", "onboarding"])
    }

    @Test("Automatic assignment and the gate take the contract's values; others are as if they were not there")
    func switches() throws {
        #expect(try parse("speaker_auto_assign=enabled").session.flags == [.transcript, .speakerAutoAssign])
        for value in ["disabled", "", "true", "ENABLED"] {
            #expect(try parse("speaker_auto_assign=\(value)").session.flags == .transcript)
        }
        #expect(try parse("vad_gate=disabled").ignoredFeatures == ["vad_gate"])
        for value in ["enabled", "", "off"] { #expect(try parse("vad_gate=\(value)").ignoredFeatures.isEmpty) }
    }

    @Test("On the web path the parameters it does not have are ignored, whatever their values")
    func web() throws {
        let query = "speaker_auto_assign=enabled&vad_gate=disabled&create_speakers=perhaps&stt_service=%00&source=web"
        let parsed = try #require(QueryString.parse("/v4/web/listen?\(query)"))
        let parameters = try ListenParameters(query: parsed.items, isWeb: true, limits: Limits())
        #expect(parameters.session.flags == .transcript)
        #expect(parameters.ignoredFeatures.isEmpty)
        #expect(parameters.session.source == "web")
    }

    @Test("Names and ids may have 256 bytes", arguments: ["source", "stt_service", "call_id"])
    func texts(name: String) throws {
        _ = try parse("\(name)=\(String(repeating: "x", count: 256))")
        #expect(throws: ListenRefusal.self) { try parse("\(name)=\(String(repeating: "x", count: 257))") }
    }

    @Test("PCM takes the seven rates", arguments: [8_000, 12_000, 16_000, 24_000, 32_000, 44_100, 48_000])
    func pcmRates(rate: Int) throws {
        for codec in ["pcm8", "pcm16", "pcm"] {
            #expect(try parse("codec=\(codec)&sample_rate=\(rate)").session.sampleRate == rate)
        }
    }

    @Test(
        "Other rates are closed with 1003 and the allowed ones",
        arguments: ["0", "-8000", "16001", "96000", "30000000"])
    func badRates(rate: String) {
        for codec in AudioCodec.allCases {
            #expect(refusal("codec=\(codec.rawValue)&sample_rate=\(rate)")?.code == .unsupported)
            #expect(refusal("codec=\(codec.rawValue)&sample_rate=\(rate)")?.reason.contains("16000") == true)
        }
    }

    @Test(
        "Other codecs are closed with 1003 and a reason that fits",
        arguments: ["aac", "lc3_fs1030", "lc3", "mulaw8", ""])
    func badCodecs(codec: String) {
        let refusal = refusal("codec=\(codec)&sample_rate=16000")
        #expect(refusal?.code == .unsupported)
        #expect(refusal?.reason.contains("pcm8 pcm16 pcm opus opus_fs320") == true)
        #expect((refusal?.reason.utf8.count ?? 999) <= CloseCode.reasonBytesMaximum)
    }

    @Test("Numbers beyond any are judged like large ones")
    func hugeNumbers() throws {
        for query in ["sample_rate=99999999999999999999", "channels=-99999999999999999999"] {
            #expect(refusal(query)?.code == .unsupported)
        }
        let parsed = try #require(QueryString.parse("/x?conversation_timeout=99999999999999999999"))
        let largest = try #require(QueryString.parse("/x?conversation_timeout=9223372036854775807"))
        let timeout = try ListenParameters(query: parsed.items, limits: Limits()).session.conversationTimeout
        #expect(
            try timeout == ListenParameters(query: largest.items, limits: Limits()).session.conversationTimeout)
    }

    @Test("More channels than one are closed with 1003", arguments: [0, 2, -1, 99])
    func badChannels(channels: Int) { #expect(refusal("channels=\(channels)")?.code == .unsupported) }

    @Test(
        "A value of the wrong type is malformed",
        arguments: [
            "sample_rate=abc", "sample_rate=16000.5", "channels=", "conversation_timeout=soon",
            "include_speech_profile=7",
            "create_speakers=perhaps", "sample_rate=9x", "sample_rate=+-9", "source=%00",
        ])
    func malformed(query: String) throws {
        let parsed = try #require(QueryString.parse("/x?\(query)"))
        do throws(ListenRefusal) {
            _ = try ListenParameters(query: parsed.items, limits: Limits())
            Issue.record("accepted")
        } catch {
            guard case .malformed = error else {
                Issue.record("not malformed: \(error)")
                return
            }
        }
    }

    @Test(
        "Languages are tags, or multi, or its older name",
        arguments: [
            ("en", "en"), ("pt-BR", "pt-BR"), ("multi", "multi"), ("auto", "multi"), ("zh-Hant-TW", "zh-Hant-TW"),
        ])
    func languages(given: String, kept: String) throws {
        #expect(try parse("language=\(given)").session.language == kept)
    }

    @Test("Other languages are closed with 1008", arguments: ["", "e", "en_US", "english!", "-", "en--US"])
    func badLanguages(language: String) { #expect(refusal("language=\(language)")?.code == .policy) }

    @Test("Conversation time-outs are normalised", arguments: [(-1, 14_400), (0, 120), (119, 120), (300, 300)])
    func timeouts(given: Int, kept: Int) throws {
        #expect(try parse("conversation_timeout=\(given)").session.conversationTimeout == kept)
    }

    @Test("A conversation id that is no UUID is ignored")
    func clientConversation() throws {
        let id = "0190a1b2-0000-7000-8000-000000000001"
        #expect(try parse("client_conversation_id=\(id)").session.clientConversation?.description == id)
        #expect(try parse("client_conversation_id=mine").session.clientConversation == nil)
    }

    @Test("A broken escape matters only in the path and in what is read")
    func escapes() {
        #expect(QueryString.parse("/v4/%zz?a=1") == nil)
        for broken in ["%zz", "%e", "%ff", "100%"] {
            #expect(QueryString.parse("/v4/listen?a=\(broken)")?.items.first?.value == broken)
            // What is not read is ignored, what is read is refused by its name.
            #expect(throws: Never.self) { try parse("foo=\(broken)&uid=\(broken)&codec=opus&sample_rate=16000") }
            #expect(throws: ListenRefusal.malformed("sample_rate must be a whole number")) {
                try parse("codec=opus&sample_rate=\(broken)")
            }
        }
        #expect(QueryString.parse("/v4/listen?a=b%20c+d")?.items.first?.value == "b c d")
    }

    private func refusal(_ query: String) -> (code: CloseCode, reason: String)? {
        guard let parsed = QueryString.parse("/x?\(query)") else { return nil }
        do throws(ListenRefusal) {
            _ = try ListenParameters(query: parsed.items, limits: Limits())
            return nil
        } catch {
            if case .close(let code, let reason) = error { return (code, reason) }
            return nil
        }
    }
}
