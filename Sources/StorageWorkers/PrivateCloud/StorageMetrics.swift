import CoreMetrics

/// What the private-cloud worker counts beside the runtime.
package struct StorageMetrics: Sendable {
    let parts = Counter(label: "private_cloud.parts.stored")
    let bytes = Counter(label: "private_cloud.bytes.stored")
    /// Milliseconds of audio, gaps filled with silence included.
    let audioMilliseconds = Counter(label: "private_cloud.audio.milliseconds")
    let uploadFailures = Counter(label: "private_cloud.uploads.failed")
    let corruptFrames = Counter(label: "private_cloud.frames.corrupt")
    /// From the first byte to the store's word that the object is durable.
    let uploadTime = Timer(label: "private_cloud.upload.seconds")

    /// Counters of this process.
    package init() {}
}
