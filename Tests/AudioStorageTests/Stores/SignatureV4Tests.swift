import Testing

@testable import AudioStorage

/// AWS's published examples: the S3 reference "Signature Calculations for the Authorization Header" and the general
/// signature test suite.
@Suite("Signature V4")
struct SignatureV4Tests {
    private static let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    private static let host = (name: "Host", value: "examplebucket.s3.amazonaws.com")
    private static let date = (name: "x-amz-date", value: "20130524T000000Z")

    private func authorization(_ request: SignatureV4.Request) -> String {
        let signer = SignatureV4(
            SignatureV4.Scope(
                accessKey: "AKIAIOSFODNN7EXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                region: "us-east-1"), at: 1_369_353_600_000_000)
        return signer.authorization(for: request)
    }

    @Test("GET Object with a range")
    func getObject() {
        let request = SignatureV4.Request(
            method: "GET", path: "/test.txt",
            headers: [Self.host, ("Range", "bytes=0-9"), ("x-amz-content-sha256", Self.empty), Self.date],
            payloadHash: Self.empty)
        #expect(
            authorization(request)
                == "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
                + "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
                + "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
    }

    @Test("PUT Object with a name that is encoded")
    func putObject() {
        let hash = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"
        let request = SignatureV4.Request(
            method: "PUT", path: "/test$file.text",
            headers: [
                ("Date", "Fri, 24 May 2013 00:00:00 GMT"), Self.host, Self.date,
                ("x-amz-storage-class", "REDUCED_REDUNDANCY"), ("x-amz-content-sha256", hash),
            ], payloadHash: hash)
        let expected = "Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
        #expect(authorization(request).hasSuffix(expected))
    }

    @Test("GET Bucket with a query parameter without a value")
    func lifecycle() {
        let request = SignatureV4.Request(
            method: "GET", path: "/", query: [("lifecycle", "")],
            headers: [Self.host, Self.date, ("x-amz-content-sha256", Self.empty)], payloadHash: Self.empty)
        let expected = "Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
        #expect(authorization(request).hasSuffix(expected))
    }

    @Test("GET Bucket, list objects")
    func listObjects() {
        let request = SignatureV4.Request(
            method: "GET", path: "/", query: [("prefix", "J"), ("max-keys", "2")],
            headers: [Self.host, Self.date, ("x-amz-content-sha256", Self.empty)], payloadHash: Self.empty)
        let expected = "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
        #expect(authorization(request).hasSuffix(expected))
    }

    @Test("get-vanilla of the general suite")
    func vanilla() {
        let signer = SignatureV4(
            SignatureV4.Scope(
                accessKey: "AKIDEXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", region: "us-east-1",
                service: "service"), at: 1_440_938_160_000_000)
        #expect(signer.date == "20150830T123600Z")
        let request = SignatureV4.Request(
            method: "GET", path: "/", headers: [("Host", "example.amazonaws.com"), ("X-Amz-Date", signer.date)],
            payloadHash: Self.empty)
        let expected = "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
        #expect(signer.authorization(for: request).hasSuffix(expected))
    }

    @Test(
        "Times are those of the Gregorian calendar",
        arguments: [
            (0, "19700101T000000Z"), (951_827_696, "20000229T123456Z"), (1_709_251_199, "20240229T235959Z"),
            (4_102_444_800, "21000101T000000Z"), (1_735_689_599, "20241231T235959Z"),
        ])
    func times(seconds: Int64, text: String) {
        #expect(SigningTime(seconds * 1_000_000).dateAndTime == text)
    }
}
