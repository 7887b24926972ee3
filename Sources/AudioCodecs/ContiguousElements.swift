/// Calls `body` with the elements in contiguous memory, copying them only when the collection does not store them so.
///
/// The pointer is valid during the call only. Arrays, slices and NIO's buffer views are passed without a copy.
func withContiguousElements<Elements: Collection, Result>(
    of elements: Elements, _ body: (UnsafeBufferPointer<Elements.Element>) -> Result
) -> Result {
    if let result = elements.withContiguousStorageIfAvailable(body) {
        return result
    }
    return unsafe Array(elements).withUnsafeBufferPointer(body)
}
