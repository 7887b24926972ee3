/// A connection that was let in, by its door.
enum AdmittedConnection {
    case listen(AdmittedListen)
    case native(AdmittedNative)
    case backend(AdmittedBackend)
}
