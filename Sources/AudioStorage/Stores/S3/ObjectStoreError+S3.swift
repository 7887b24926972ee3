import HTTPTransport

/// What answers of S3 and failures on the way there mean.
extension ObjectStoreError {
    /// An answer that is no success.
    init(_ response: HTTPResponse, _ what: String) {
        let name = S3Document(response.body).first("Code") ?? "none"
        let code: Code =
            switch (response.status, name) {
            case (_, "RequestTimeTooSkewed"): .clockSkew
            case (404, "NoSuchBucket"): .refused
            case (404, _): .notFound
            case (412, _), (409, "ConditionalRequestConflict"): .exists
            case (501, _), (_, "NotImplemented"): .unsupported
            case (408, _), (429, _), (500..., _), (_, "RequestTimeout"), (_, "SlowDown"), (409, "OperationAborted"):
                .unavailable
            default: .refused
            }
        self.init(code, "S3 answered \(response.status) (\(String(name.prefix(60)))) to \(what)")
    }

    /// An exchange without an answer.
    init(_ error: HTTPTransportError, _ what: String) {
        let code: Code =
            switch error.code {
            case .responseTooLarge: .tooLarge
            case .invalidURL, .destinationRefused: .refused
            default: .unavailable
            }
        self.init(code, "S3 could not be asked to \(what): \(error.message)")
    }
}
