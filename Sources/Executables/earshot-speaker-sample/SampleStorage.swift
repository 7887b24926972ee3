import AudioStorage
import ServiceBootstrap
import SessionRecord
import SpeakerSampleWorker

/// Where stored audio is read, and samples are kept.
struct SampleStorage {
    let store: any ObjectStore
    let audio: StoredConversationAudio

    /// Opens the store.
    ///
    /// ## Configuration keys
    /// - `store.dir` (path, required).
    /// - `encryption.secret` (text, secret, optional): without it encrypted audio cannot be read.
    init(_ settings: Settings, record: any SessionRecord) throws {
        guard let directory = settings.text("store.dir") else {
            throw settings.error("store.dir", problem: "is missing", allowed: "the directory with stored audio")
        }
        store = DirectoryObjectStore(directory: directory)
        let secret = try settings.secret("encryption.secret")?.revealed
        let encryption = try secret.map { try AudioEncryption(secret: $0) }
        audio = StoredConversationAudio(
            record: record, reader: StoredAudioReader(store: store, encryption: encryption))
    }
}
