/// A voice a user has taught: the owner's own, or a person's.
package struct KnownVoice: Codable, Equatable, Sendable {
    /// The sentinel for the owner of the device (omi.md section 6).
    package static let owner = "user"

    /// The person's id; `user` is the owner.
    package var person: String
    package var name: String
    /// Unit-length embedding; its size depends on the engine, and vectors of different sizes are never alike.
    package var embedding: [Float]
    /// Which engine made it; another engine's vectors cannot be compared.
    package var engine: String

    /// Makes a voice.
    package init(person: String, name: String, embedding: [Float], engine: String) {
        self.person = person
        self.name = name
        self.embedding = embedding
        self.engine = engine
    }

    private enum CodingKeys: String, CodingKey {
        case person = "person_id"
        case name
        case embedding
        case engine
    }
}
