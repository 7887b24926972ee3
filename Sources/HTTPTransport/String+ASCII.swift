extension String {
    /// Compares as header names are compared: the ASCII letters' case does not matter.
    func isEqualIgnoringCase(to other: String) -> Bool {
        utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8) { $0.asciiLowercased == $1.asciiLowercased }
    }
}

extension UInt8 {
    /// The small letter of a capital, everything else as it is.
    var asciiLowercased: UInt8 { (0x41...0x5A).contains(self) ? self | 0x20 : self }
}
