/// Texts as an array of C strings that ends with a null pointer, in one block of memory.
struct CStringTable {
    private var bytes: [CChar] = []
    private var offsets: [Int] = []

    init(_ texts: [String]) {
        for text in texts {
            offsets.append(bytes.count)
            bytes.append(contentsOf: text.utf8.map { CChar(bitPattern: $0) })
            bytes.append(0)
        }
    }

    /// Lends the pointers for the length of the call.
    func withPointers<Result>(_ body: (UnsafeBufferPointer<UnsafePointer<CChar>?>) -> Result) -> Result {
        unsafe bytes.withUnsafeBufferPointer { block in
            var pointers: [UnsafePointer<CChar>?] = unsafe offsets.map { offset in
                unsafe block.baseAddress.map { unsafe $0 + offset }
            }
            unsafe pointers.append(nil)
            return unsafe pointers.withUnsafeBufferPointer(body)
        }
    }
}
