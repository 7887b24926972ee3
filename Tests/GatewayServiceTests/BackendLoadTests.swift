import EarshotModel
import Foundation
import TestSupport
import Testing

@Suite struct BackendLoadTests {
    /// What the load generator of omi's repository does (omi.md section 9), on PyPI's `websockets`: each client sends
    /// a 103, then 101s of 16,000 bytes at 20/s or 104s without a job at 10/s; it prints the answers it got.
    private static let program = """
        import asyncio, json, struct, sys, time
        import websockets

        url, key, uid, seconds = sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4])

        async def client(number, sends_audio):
            uri = f"{url}?uid={uid}&sample_rate=8000"
            headers = {"Authorization": f"Bearer {key}"}
            answers, sent = [], 0
            async with websockets.connect(
                uri, additional_headers=headers, ping_interval=30, ping_timeout=60, close_timeout=3
            ) as socket:
                async def read():
                    async for message in socket:
                        assert struct.unpack("<I", message[:4])[0] == 201
                        answers.append(json.loads(message[4:]))
                reader = asyncio.create_task(read())
                conversation = f"conversation-{number}"
                await socket.send(struct.pack("<I", 103) + conversation.encode())
                begin = time.time()
                while time.time() - begin < seconds:
                    if sends_audio:
                        stamp = struct.pack("<d", begin + sent)
                        await socket.send(struct.pack("<I", 101) + stamp + bytes([sent % 256]) * 16000)
                    else:
                        body = json.dumps({"conversation_id": conversation, "language": "en"})
                        await socket.send(struct.pack("<I", 104) + body.encode())
                    sent += 1
                    await asyncio.sleep(0.05 if sends_audio else 0.1)
                if not sends_audio:
                    while len(answers) < sent:
                        await asyncio.sleep(0.01)
                await socket.close()
                await reader
            return {"sent": sent, "success": sum(1 for answer in answers if answer.get("success"))}

        async def main():
            results = await asyncio.gather(*[client(n, n % 2 == 0) for n in range(6)])
            print(json.dumps(results))

        asyncio.run(main())
        """

    private struct Result: Decodable {
        let sent: Int
        let success: Int
    }

    private static var python: String {
        if let path = ProcessInfo.processInfo.environment["EARSHOT_TEST_PYTHON"], !path.isEmpty { return path }
        let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return repository.appendingPathComponent(".cache/python/bin/python").path
    }

    @Test("The load generator of today's back ends loses nothing and is always answered")
    func load() async throws {
        try await GatewayHarness.withDoor { harness in
            let output = FileManager.default.temporaryDirectory.appendingPathComponent("earshot-load-\(UUID()).json")
            defer { try? FileManager.default.removeItem(at: output) }
            let url = "ws://127.0.0.1:\(harness.port)/v1/trigger/listen"
            let process = try ChildProcess(
                [Self.python, "-c", Self.program, url, BackendPeer.key, "alice", "2"], output: output.path)
            try await eventually("the load generator's end") { !process.isRunning }
            let results = try JSONDecoder().decode([Result].self, from: Data(contentsOf: output))
            let sessions = try await harness.untilOver(6)
            for (number, result) in results.enumerated() {
                let session = try #require(sessions.first { $0.conversation == "conversation-\(number)" })
                let audio = try await harness.audio(of: session)
                #expect(result.sent > 0)
                if number % 2 == 0 {
                    let expected = (0..<result.sent).flatMap { [UInt8](repeating: UInt8($0 % 256), count: 16_000) }
                    #expect(audio == expected)
                } else {
                    #expect(result.success == result.sent)
                    #expect(audio.isEmpty)
                }
            }
        }
    }
}
