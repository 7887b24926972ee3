import CLibCurl
import Glibc

/// Owns one libcurl easy handle, reused for one transfer after the other; lives on the engine's thread.
///
/// The options that never change are set once (`EasyHandle+Options`), those of a request at its start. libcurl calls
/// back on the thread that drives the multi handle, with a pointer to this object, which outlives its handle.
@safe
final class EasyHandle {
    /// The exchange it carries.
    struct Transfer {
        let submission: TransferInbox.Submission
        var collector: ResponseCollector
        /// Why the last address that was refused was.
        var refusal: HTTPTransportError?
        /// Whether a connection was tried to an address that is allowed.
        var hasTried = false
    }

    let raw: UnsafeMutableRawPointer
    let configuration: HTTPTransportConfiguration
    var transfer: Transfer?
    private let errorText: UnsafeMutablePointer<CChar>
    private var headerList: UnsafeMutablePointer<curl_slist>?
    private var addressList: UnsafeMutablePointer<curl_slist>?

    init?(_ configuration: HTTPTransportConfiguration) {
        guard let raw = unsafe curl_easy_init() else { return nil }
        unsafe self.raw = unsafe raw
        self.configuration = configuration
        unsafe errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        unsafe errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        guard unsafe setFixedOptions(errorText: errorText) else { return nil }
    }

    deinit {
        unsafe curl_easy_cleanup(raw)
        unsafe curl_slist_free_all(headerList)
        unsafe curl_slist_free_all(addressList)
        unsafe errorText.deallocate()
    }

    /// Prepares the handle for a request; false when libcurl is out of memory.
    func begin(_ submission: TransferInbox.Submission) -> Bool {
        let request = submission.request
        transfer = Transfer(
            submission: submission,
            collector: ResponseCollector(
                headerBytesMaximum: configuration.responseHeaderBytesMaximum,
                bodyBytesMaximum: request.responseBytesMaximum))
        unsafe errorText[0] = 0
        return unsafe setOptions(of: request, headers: makeHeaderList(request), addresses: makeAddressList(request))
    }

    /// Gives the exchange up and forgets everything of it; call it when the handle is not in the multi handle.
    func end() -> TransferInbox.Submission? {
        let submission = transfer?.submission
        transfer = nil
        clearOptions()
        unsafe curl_slist_free_all(headerList)
        unsafe headerList = nil
        unsafe curl_slist_free_all(addressList)
        unsafe addressList = nil
        return submission
    }

    /// What became of the exchange, from libcurl's result.
    func answer(_ code: CURLcode) -> TransferInbox.Answer {
        guard let transfer else { return .failure(TransferInbox.closed) }
        let isCut = transfer.collector.excess == .body && transfer.submission.request.overflow == .truncate
        var status = 0
        unsafe ccurl_get_long(raw, CURLINFO_RESPONSE_CODE, &status)
        guard code == CURLE_OK || isCut else {
            var error = HTTPTransportError(code, transfer, detail: unsafe String(cString: errorText))
            error.status = status > 0 ? status : nil
            return .failure(error)
        }
        var microseconds: curl_off_t = 0
        unsafe ccurl_get_offset(raw, CURLINFO_TOTAL_TIME_T, &microseconds)
        var address: UnsafeMutablePointer<CChar>?
        unsafe ccurl_get_string(raw, CURLINFO_PRIMARY_IP, &address)
        return .success(
            HTTPResponse(
                status: status, headers: transfer.collector.headers, body: transfer.collector.body,
                isTruncated: isCut, remoteAddress: unsafe address.map { unsafe String(cString: $0) } ?? "",
                duration: .microseconds(microseconds)))
    }

    private func makeHeaderList(_ request: HTTPRequest) -> UnsafeMutablePointer<curl_slist>? {
        func append(_ line: String) { unsafe headerList = unsafe curl_slist_append(headerList, line) }
        for header in request.headers {
            // libcurl's spelling of a field without a value.
            append(header.value.isEmpty ? "\(header.name);" : "\(header.name): \(header.value)")
        }
        // A body is sent at once, without asking first, and its type is the caller's to say.
        append("Expect:")
        if !request.headers.contains(where: { $0.name.isEqualIgnoringCase(to: "content-type") }) {
            append("Content-Type:")
        }
        return unsafe headerList
    }

    private func makeAddressList(_ request: HTTPRequest) -> UnsafeMutablePointer<curl_slist>? {
        guard let override = configuration.addressOverride, let parts = try? URLParts(request.url) else { return nil }
        let addresses = override(parts.host)
        guard !addresses.isEmpty else { return nil }
        let port = parts.port ?? (parts.scheme == "https" ? 443 : 80)
        // `+`: the entry ages like one of the resolver's.
        unsafe addressList = unsafe curl_slist_append(
            nil, "+\(parts.host):\(port):\(addresses.joined(separator: ","))")
        return unsafe addressList
    }
}
