/// The values of a statement in the four parallel arrays that libpq takes, the bytes in one block of memory.
struct ParameterTable {
    let types: [UInt32]
    private(set) var lengths: [Int32] = []
    private(set) var formats: [Int32] = []
    private var bytes: [CChar] = []
    /// Where each value begins in `bytes`, nil for NULL.
    private var offsets: [Int?] = []

    init(_ parameters: [SQLParameter]) {
        types = parameters.map(\.type)
        for parameter in parameters {
            switch parameter.value {
            case .null:
                offsets.append(nil)
                lengths.append(0)
                formats.append(0)
            case .text(let text):
                append(text.utf8.lazy.map { CChar(bitPattern: $0) }, format: 0)
            case .binary(let content):
                append(content.lazy.map { CChar(bitPattern: $0) }, format: 1)
            }
        }
    }

    private mutating func append(_ content: some Sequence<CChar>, format: Int32) {
        let start = bytes.count
        bytes.append(contentsOf: content)
        offsets.append(start)
        lengths.append(Int32(clamping: bytes.count - start))
        formats.append(format)
        // Ends a text; behind bytes it does no harm, and keeps an empty value's pointer inside the block.
        bytes.append(0)
    }

    /// Lends the pointers for the length of the call.
    func withPointers<Result>(_ body: (UnsafeBufferPointer<UnsafePointer<CChar>?>) -> Result) -> Result {
        unsafe bytes.withUnsafeBufferPointer { block in
            let pointers: [UnsafePointer<CChar>?] = unsafe offsets.map { offset in
                guard let offset, let base = block.baseAddress else { return nil }
                return unsafe base + offset
            }
            return unsafe pointers.withUnsafeBufferPointer(body)
        }
    }
}
