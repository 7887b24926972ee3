import PostgresClient

extension WebhookError {
    /// Bad data is refused for good; everything else may pass with time.
    init(_ error: any Error) {
        switch error {
        case let error as WebhookError: self = error
        case let error as UnreadableEndpoint: self.init(.refused, "\(error)")
        case let error as PostgresError:
            switch error.code {
            case .invalidData, .notNullViolation, .checkViolation, .uniqueViolation, .foreignKeyViolation,
                .invalidArgument, .decodingFailed:
                self.init(.refused, "\(error)")
            default: self.init(.unavailable, "\(error)")
            }
        default: self.init(.unavailable, "\(error)")
        }
    }
}
