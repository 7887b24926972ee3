// The libraries are opened at run time: this target is its headers, and SwiftPM wants one source file.
#include "CSpeechEngine.h"
