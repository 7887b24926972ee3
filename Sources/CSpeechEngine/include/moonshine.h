#pragma once

#include <stddef.h>
#include <stdint.h>

// The layouts changed between releases while the library's version number stayed: they are valid for the release that
// scripts/fetch-speech pins by its checksum, and for LP64.

/// The interface version passed to every load.
enum { MOONSHINE_HEADER_VERSION = 20000 };
/// The model architecture of the tiny English model.
enum { MOONSHINE_ARCH_TINY = 0 };

typedef struct {
    const char *name;
    const char *value;
} moonshine_option;

typedef struct {
    const char *text;
    const float *audio;
    size_t audio_count;
    float start_seconds;
    float duration_seconds;
    uint64_t identifier;
    int8_t is_complete;
    int8_t is_updated;
    int8_t is_new;
    int8_t has_text_changed;
    int8_t have_speakers_changed;
    const void *speaker_spans;
    uint64_t speaker_span_count;
    uint32_t latency_milliseconds;
    const void *words;
    uint64_t word_count;
} moonshine_line;

typedef struct {
    const moonshine_line *lines;
    uint64_t line_count;
} moonshine_transcript;

_Static_assert(sizeof(moonshine_option) == 16, "layout of libmoonshine 0.0.73");
_Static_assert(sizeof(moonshine_line) == 88, "layout of libmoonshine 0.0.73");
_Static_assert(offsetof(moonshine_line, speaker_spans) == 48, "layout of libmoonshine 0.0.73");
_Static_assert(sizeof(moonshine_transcript) == 16, "layout of libmoonshine 0.0.73");

/// `moonshine_get_version`
typedef int32_t (*moonshine_get_version_fn)(void);
/// `moonshine_error_to_string`
typedef const char *(*moonshine_error_to_string_fn)(int32_t code);
/// `moonshine_load_transcriber_from_files`: a handle, or a negative error.
typedef int32_t (*moonshine_load_fn)(const char *directory, uint32_t arch, const moonshine_option *options,
                                     uint64_t option_count, int32_t header_version);
/// `moonshine_free_transcriber`
typedef void (*moonshine_free_fn)(int32_t transcriber);
/// `moonshine_transcribe_without_streaming`: the transcript belongs to the transcriber until its next call.
typedef int32_t (*moonshine_transcribe_fn)(int32_t transcriber, float *samples, uint64_t count, int32_t rate,
                                           uint32_t flags, moonshine_transcript **transcript);
