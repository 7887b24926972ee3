package import AudioStreams
import EarshotModel

extension EnabledGroups {
    /// Reads the setting.
    ///
    /// ## Configuration keys
    /// - `groups` (names separated by commas, optional, default all): the worker types that count for trimming and
    ///   completion. One that is named and never runs keeps everything it wants; one that is not named never gets it.
    package init(settings: Settings) throws(SettingsError) {
        self = .all
        guard let text = settings.text("groups") else { return }
        let names = text.split(separator: ",").map { WorkerGroup($0.filter { !$0.isWhitespace }) }
        let known = Self.all.byStream.flatMap(\.groups)
        guard Set(names).isSubset(of: known), names.contains(.transcript), names.contains(.record) else {
            throw settings.error(
                "groups", problem: "\(text.debugDescription) is no list of worker types",
                allowed: "transcript and record, and any of the others: \(known.map(\.name).joined(separator: ", "))")
        }
        audio = audio.filter(names.contains)
        events = events.filter(names.contains)
        samples = samples.filter(names.contains)
    }
}
