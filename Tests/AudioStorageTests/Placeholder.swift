enum AudioStorageTestsPlaceholder {}
