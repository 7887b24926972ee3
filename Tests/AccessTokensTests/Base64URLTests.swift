import Testing

@testable import AccessTokens

@Suite("base64url")
struct Base64URLTests {
    @Test("Canonical text is decoded")
    func good() {
        #expect(Base64URL.decode("".utf8) == [])
        #expect(Base64URL.decode("AA".utf8) == [0])
        #expect(Base64URL.decode("-_8".utf8) == [0xFB, 0xFF])
        #expect(Base64URL.decode("SGVsbG8".utf8) == Array("Hello".utf8))
        #expect(Base64URL.decode("________".utf8) == [255, 255, 255, 255, 255, 255])
    }

    @Test(
        "Padding, the other alphabet, spaces, odd lengths and stray bits are refused",
        arguments: ["A", "AA==", "+/8", "A A", "AB", "AAB", "AAAAA", "é"])
    func bad(text: String) {
        #expect(Base64URL.decode(text.utf8) == nil)
    }
}
