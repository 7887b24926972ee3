/// The little of XML that S3's answers need: elements by name, without attributes or nesting of the same name.
struct S3Document {
    private let text: Substring

    init(_ bytes: [UInt8]) { text = Substring(String(decoding: bytes, as: UTF8.self)) }

    private init(_ text: Substring) { self.text = text }

    /// The elements of a name, in order.
    func all(_ name: String) -> [S3Document] {
        var found: [S3Document] = []
        var rest = text
        while let start = rest.firstRange(of: "<\(name)>") {
            let behind = rest[start.upperBound...]
            guard let end = behind.firstRange(of: "</\(name)>") else { break }
            found.append(S3Document(behind[..<end.lowerBound]))
            rest = behind[end.upperBound...]
        }
        return found
    }

    /// The text of the first element of a name.
    func first(_ name: String) -> String? { all(name).first?.value }

    /// The text, with the predefined entities resolved.
    private var value: String {
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#34;", "\""), ("&apos;", "'"), ("&amp;", "&")].reduce(
            String(text)
        ) { $0.replacing($1.0, with: $1.1) }
    }
}
