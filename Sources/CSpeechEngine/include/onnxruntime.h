#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct OrtStatus OrtStatus;
typedef struct OrtEnv OrtEnv;
typedef struct OrtSession OrtSession;
typedef struct OrtSessionOptions OrtSessionOptions;
typedef struct OrtRunOptions OrtRunOptions;
typedef struct OrtMemoryInfo OrtMemoryInfo;
typedef struct OrtValue OrtValue;

/// The version of the table asked for; ONNX Runtime 1.23 serves every older one.
enum { ORT_TABLE_VERSION = 16 };
/// Values of its enumerations that are used.
enum {
    ORT_LOG_WARNING = 2,
    ORT_ELEMENT_FLOAT = 1,
    ORT_ELEMENT_INT64 = 7,
    ORT_DEVICE_ALLOCATOR = 0,
    ORT_MEMORY_DEFAULT = 0
};

/// The table of functions up to the last one used; unused places are kept by the arrays between.
///
/// A returned status is NULL on success and must be released otherwise.
typedef struct {
    void *unused_0[2];
    const char *(*GetErrorMessage)(const OrtStatus *status);                                               // 2
    OrtStatus *(*CreateEnv)(int level, const char *identifier, OrtEnv **environment);                      // 3
    void *unused_4[4];
    OrtStatus *(*CreateSessionFromArray)(const OrtEnv *environment, const void *model, size_t byte_count,
                                         const OrtSessionOptions *options, OrtSession **session);          // 8
    OrtStatus *(*Run)(OrtSession *session, const OrtRunOptions *options, const char *const *input_names,
                      const OrtValue *const *inputs, size_t input_count, const char *const *output_names,
                      size_t output_count, OrtValue **outputs);                                            // 9
    OrtStatus *(*CreateSessionOptions)(OrtSessionOptions **options);                                       // 10
    void *unused_11[13];
    OrtStatus *(*SetIntraOpNumThreads)(OrtSessionOptions *options, int count);                             // 24
    OrtStatus *(*SetInterOpNumThreads)(OrtSessionOptions *options, int count);                             // 25
    void *unused_26[23];
    OrtStatus *(*CreateTensorWithDataAsOrtValue)(const OrtMemoryInfo *memory, void *data, size_t byte_count,
                                                 const int64_t *shape, size_t shape_count, int element,
                                                 OrtValue **value);                                        // 49
    void *unused_50[19];
    OrtStatus *(*CreateCpuMemoryInfo)(int allocator, int kind, OrtMemoryInfo **memory);                    // 69
    void *unused_70[22];
    void (*ReleaseEnv)(OrtEnv *environment);                                                               // 92
    void (*ReleaseStatus)(OrtStatus *status);                                                              // 93
    void (*ReleaseMemoryInfo)(OrtMemoryInfo *memory);                                                      // 94
    void (*ReleaseSession)(OrtSession *session);                                                           // 95
    void (*ReleaseValue)(OrtValue *value);                                                                 // 96
    void *unused_97[3];
    void (*ReleaseSessionOptions)(OrtSessionOptions *options);                                             // 100
    void *unused_101[29];
    OrtStatus *(*AddSessionConfigEntry)(OrtSessionOptions *options, const char *key, const char *value);   // 130
} ort_table;

_Static_assert(offsetof(ort_table, CreateSessionFromArray) == 8 * sizeof(void *), "place in the table");
_Static_assert(offsetof(ort_table, SetIntraOpNumThreads) == 24 * sizeof(void *), "place in the table");
_Static_assert(offsetof(ort_table, CreateTensorWithDataAsOrtValue) == 49 * sizeof(void *), "place in the table");
_Static_assert(offsetof(ort_table, CreateCpuMemoryInfo) == 69 * sizeof(void *), "place in the table");
_Static_assert(offsetof(ort_table, ReleaseEnv) == 92 * sizeof(void *), "place in the table");
_Static_assert(offsetof(ort_table, ReleaseSessionOptions) == 100 * sizeof(void *), "place in the table");
_Static_assert(offsetof(ort_table, AddSessionConfigEntry) == 130 * sizeof(void *), "place in the table");

typedef struct {
    const ort_table *(*GetApi)(uint32_t version);
    const char *(*GetVersionString)(void);
} ort_base;

/// `OrtGetApiBase`
typedef const ort_base *(*ort_get_base_fn)(void);
