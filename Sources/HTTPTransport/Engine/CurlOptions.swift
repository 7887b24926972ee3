import CLibCurl

/// Sets options of an easy handle and remembers whether all were accepted.
@safe
struct CurlOptions {
    private let raw: UnsafeMutableRawPointer
    private(set) var areAccepted = true

    init(_ raw: UnsafeMutableRawPointer) {
        unsafe self.raw = unsafe raw
    }

    mutating func set(_ option: CURLoption, _ value: Int) {
        note(unsafe ccurl_set_long(raw, option, value))
    }

    /// Sets what may as well stay as it is.
    func suggest(_ option: CURLoption, _ value: Int) {
        unsafe ccurl_set_long(raw, option, value)
    }

    /// libcurl copies the text.
    mutating func set(_ option: CURLoption, _ value: String?) {
        note(unsafe ccurl_set_string(raw, option, value))
    }

    /// libcurl copies the bytes; the length must stand before them.
    mutating func set(copiedBody body: [UInt8]) {
        note(unsafe ccurl_set_offset(raw, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count)))
        // An empty array may have no address, and no address means: ask a callback for the body.
        note(
            body.isEmpty
                ? unsafe ccurl_set_string(raw, CURLOPT_COPYPOSTFIELDS, "")
                : unsafe ccurl_set_pointer(raw, CURLOPT_COPYPOSTFIELDS, body))
    }

    mutating func set(_ option: CURLoption, pointer: UnsafeMutableRawPointer?) {
        note(unsafe ccurl_set_pointer(raw, option, pointer))
    }

    mutating func set(_ option: CURLoption, list: UnsafeMutablePointer<curl_slist>?) {
        note(unsafe ccurl_set_list(raw, option, list))
    }

    mutating func setWrite(_ option: CURLoption, _ callback: curl_write_callback) {
        note(unsafe ccurl_set_write(raw, option, callback))
    }

    mutating func setOpenSocket(_ callback: curl_opensocket_callback) {
        note(unsafe ccurl_set_open_socket(raw, callback))
    }

    private mutating func note(_ code: CURLcode) {
        if code != CURLE_OK { areAccepted = false }
    }
}
