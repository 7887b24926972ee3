import CLibCurl

extension EasyHandle {
    /// Sets what is the same for every transfer; false when libcurl refuses an option.
    func setFixedOptions(errorText: UnsafeMutablePointer<CChar>) -> Bool {
        var options = unsafe CurlOptions(raw)
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe options.set(CURLOPT_PRIVATE, pointer: context)
        unsafe options.set(CURLOPT_ERRORBUFFER, pointer: UnsafeMutableRawPointer(errorText))
        // Threads and signals do not mix: libcurl must not use SIGALRM.
        options.set(CURLOPT_NOSIGNAL, 1)
        // A resolver that hangs is left to end by itself instead of holding up all transfers.
        options.set(CURLOPT_QUICK_EXIT, 1)

        options.set(CURLOPT_PROTOCOLS_STR, configuration.destinations.schemes)
        options.set(CURLOPT_FOLLOWLOCATION, 0)
        options.set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1)
        options.set(CURLOPT_PATH_AS_IS, 1)
        options.set(CURLOPT_NETRC, 0)
        // Empty: not even what the environment's `http_proxy` says.
        options.set(CURLOPT_PROXY, "")
        options.set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        options.set(CURLOPT_USERAGENT, configuration.userAgent)

        options.set(CURLOPT_SSL_VERIFYPEER, 1)
        options.set(CURLOPT_SSL_VERIFYHOST, 2)
        options.set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        if let file = configuration.certificateAuthorityFile { options.set(CURLOPT_CAINFO, file) }

        options.set(CURLOPT_MAXAGE_CONN, Int(configuration.connectionIdleMaximum.components.seconds))
        options.set(CURLOPT_MAXLIFETIME_CONN, Int(configuration.connectionLifetimeMaximum.components.seconds))

        unsafe options.set(CURLOPT_OPENSOCKETDATA, pointer: context)
        unsafe options.setOpenSocket(openSocketCallback)
        unsafe options.set(CURLOPT_HEADERDATA, pointer: context)
        unsafe options.setWrite(CURLOPT_HEADERFUNCTION, headerCallback)
        unsafe options.set(CURLOPT_WRITEDATA, pointer: context)
        unsafe options.setWrite(CURLOPT_WRITEFUNCTION, bodyCallback)
        return options.areAccepted
    }

    /// Sets what a request asks for; false when libcurl is out of memory.
    func setOptions(
        of request: HTTPRequest, headers: UnsafeMutablePointer<curl_slist>?,
        addresses: UnsafeMutablePointer<curl_slist>?
    ) -> Bool {
        var options = unsafe CurlOptions(raw)
        options.set(CURLOPT_URL, request.url)
        unsafe options.set(CURLOPT_HTTPHEADER, list: headers)
        unsafe options.set(CURLOPT_RESOLVE, list: addresses)
        options.set(CURLOPT_CONNECTTIMEOUT_MS, Self.milliseconds(request.connectTimeout))
        options.set(CURLOPT_TIMEOUT_MS, Self.milliseconds(request.totalTimeout))
        // libcurl allocates this for each transfer; a small one is all that a short answer needs. Where a transfer that
        // failed early left its buffer, libcurl keeps that one.
        options.suggest(CURLOPT_BUFFERSIZE, request.responseBytesMaximum > 64 * 1024 ? 64 * 1024 : 4 * 1024)
        options.set(CURLOPT_ACCEPT_ENCODING, request.acceptsCompression ? "gzip, deflate" : nil)
        let hasBody = request.method == .post || request.method == .put || !request.body.isEmpty
        switch request.method {
        case .head: options.set(CURLOPT_NOBODY, 1)
        case _ where hasBody:
            options.set(CURLOPT_POST, 1)
            options.set(copiedBody: request.body)
        default: options.set(CURLOPT_HTTPGET, 1)
        }
        let isPlain = request.method == .head || request.method.rawValue == (hasBody ? "POST" : "GET")
        options.set(CURLOPT_CUSTOMREQUEST, isPlain ? nil : request.method.rawValue)
        return options.areAccepted
    }

    /// Takes back what points into memory that is about to go, and lets libcurl's copy of the body go.
    func clearOptions() {
        var options = unsafe CurlOptions(raw)
        unsafe options.set(CURLOPT_HTTPHEADER, list: nil)
        unsafe options.set(CURLOPT_RESOLVE, list: nil)
        unsafe options.set(CURLOPT_POSTFIELDS, pointer: nil)
        // Back to a plain request: `HTTPGET` also ends `NOBODY` and `POST`.
        options.set(CURLOPT_HTTPGET, 1)
    }

    /// At least 1: to libcurl 0 means no limit.
    private static func milliseconds(_ duration: Duration) -> Int {
        max(1, Int(duration.wholeMillisecondsRoundedUp))
    }
}
