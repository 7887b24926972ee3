import CLibCurl

extension HTTPTransportError {
    /// Translates libcurl's result for an exchange.
    init(_ code: CURLcode, _ transfer: EasyHandle.Transfer, detail: String) {
        if let excess = transfer.collector.excess {
            let bytes = transfer.submission.request.responseBytesMaximum
            self.init(
                .responseTooLarge,
                excess == .headers
                    ? "the response's headers are larger than allowed"
                    : "the response's body has more than the \(bytes) bytes allowed")
            return
        }
        // A name of which only refused addresses could be tried.
        if let refusal = transfer.refusal, !transfer.hasTried {
            self = refusal
            return
        }
        let text = detail.isEmpty ? unsafe String(cString: curl_easy_strerror(code)) : detail
        self.init(Self.codes[code.rawValue] ?? .connectionLost, text)
    }

    /// Results that are not in the table mean that the exchange broke.
    private static let codes: [UInt32: Code] = {
        var codes: [UInt32: Code] = [:]
        for (code, results) in [
            (Code.invalidURL, [CURLE_URL_MALFORMAT]),
            (.nameNotResolved, [CURLE_COULDNT_RESOLVE_HOST]),
            (.connectFailed, [CURLE_COULDNT_CONNECT, CURLE_INTERFACE_FAILED]),
            (.timedOut, [CURLE_OPERATION_TIMEDOUT]),
            (
                .tlsFailed,
                [
                    CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_PEER_FAILED_VERIFICATION,
                    CURLE_USE_SSL_FAILED, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR,
                    CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_ENGINE_INITFAILED,
                ]
            ),
            (
                // The URL's scheme was checked: an unsupported protocol is what the server speaks.
                .malformedResponse,
                [
                    CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING, CURLE_HTTP2,
                    CURLE_HTTP2_STREAM,
                    CURLE_WRITE_ERROR,
                ]
            ),
        ] {
            for result in results { codes[result.rawValue] = code }
        }
        return codes
    }()
}
