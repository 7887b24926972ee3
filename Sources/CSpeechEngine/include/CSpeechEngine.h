#pragma once

// The parts of libmoonshine 0.0.73 and of ONNX Runtime's C API (version 16 of its table) that Earshot calls. Both
// libraries come by scripts/fetch-speech and are opened with dlopen; neither ships a header.

#include "moonshine.h"
#include "onnxruntime.h"
