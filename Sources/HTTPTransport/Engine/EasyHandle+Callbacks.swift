import CLibCurl
import Glibc

// libcurl calls these on the engine's thread, inside a call that drives the transfer.

extension EasyHandle {
    /// Gives libcurl a socket for an address, or none when the address is refused; the one place connections come from.
    var openSocketCallback: curl_opensocket_callback {
        { context, _, address in
            guard let context = unsafe context, let address = unsafe address else { return -1 }
            return unsafe Unmanaged<EasyHandle>.fromOpaque(context).takeUnretainedValue().openSocket(address)
        }
    }

    /// Takes one line of the response's head or trailer.
    var headerCallback: curl_write_callback {
        { bytes, _, count, context in
            guard let context = unsafe context else { return 0 }
            let handle = unsafe Unmanaged<EasyHandle>.fromOpaque(context).takeUnretainedValue()
            let line = unsafe UnsafeRawBufferPointer(start: bytes, count: count)
            return unsafe handle.transfer?.collector.take(headerLine: line) == true ? count : 0
        }
    }

    /// Takes decompressed bytes of the response's body.
    var bodyCallback: curl_write_callback {
        { bytes, _, count, context in
            guard let context = unsafe context else { return 0 }
            let handle = unsafe Unmanaged<EasyHandle>.fromOpaque(context).takeUnretainedValue()
            let piece = unsafe UnsafeRawBufferPointer(start: bytes, count: count)
            // Fewer bytes than came make libcurl end the transfer.
            return unsafe handle.transfer?.collector.take(body: piece) == true ? count : 0
        }
    }

    private func openSocket(_ address: UnsafePointer<curl_sockaddr>) -> curl_socket_t {
        var bytes = [UInt8](repeating: 0, count: 16)
        let length = unsafe Int(ccurl_address(address, &bytes))
        guard let target = IPAddress(bytes: Array(bytes.prefix(length))) else { return -1 }
        if let reason = configuration.destinations.refusal(of: target) {
            transfer?.refusal = DestinationPolicy.refused(target, reason)
            return -1
        }
        transfer?.hasTried = true
        let kind = unsafe address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue)
        return unsafe socket(address.pointee.family, kind, address.pointee.protocol)
    }
}
