enum HTTPTransportTestsPlaceholder {}
