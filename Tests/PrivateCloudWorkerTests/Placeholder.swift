enum PrivateCloudWorkerTestsPlaceholder {}
