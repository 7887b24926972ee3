/// A segment's text in another language (omi.md section 3).
package struct SegmentTranslation: Codable, Equatable, Sendable {
    package var lang: String
    package var text: String

    /// Makes a translation.
    package init(lang: String, text: String) {
        self.lang = lang
        self.text = text
    }
}
