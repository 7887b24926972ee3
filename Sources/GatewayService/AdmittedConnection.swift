/// A connection that was let in, by its door.
enum AdmittedConnection {
    case listen(AdmittedListen)
    case backend(AdmittedBackend)
}
