#pragma once

#include <hiredis/hiredis.h>

// The struct layouts read below were checked against these releases only.
#if HIREDIS_MAJOR > 1 || (HIREDIS_MAJOR == 0 && HIREDIS_MINOR < 14)
#error "CHiredis was written for hiredis 0.14 to 1.x"
#endif

// The macro redisReaderGetError is not imported into Swift, and a C array imports as a tuple.
static inline const char *chiredis_reader_error(const redisReader *reader) { return reader->errstr; }

// Bytes fed and not yet parsed. The field names are the library's business, so they stay on this side.
static inline size_t chiredis_reader_unread(const redisReader *reader) { return reader->len - reader->pos; }

// Reply fields change type and place between releases (0.14 to 1.x); these accessors do not.
static inline int chiredis_reply_type(const redisReply *reply) { return reply->type; }
static inline long long chiredis_reply_integer(const redisReply *reply) { return reply->integer; }
static inline const char *chiredis_reply_bytes(const redisReply *reply) { return reply->str; }
static inline size_t chiredis_reply_length(const redisReply *reply) { return (size_t)reply->len; }
static inline size_t chiredis_reply_count(const redisReply *reply) { return reply->elements; }
static inline const redisReply *chiredis_reply_element(const redisReply *reply, size_t index) {
    return reply->element[index];
}
