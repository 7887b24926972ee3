enum SpeakerSampleWorkerTestsPlaceholder {}
