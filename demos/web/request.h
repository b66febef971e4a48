/* request.h - reading requests. http_parser is fed with what comes; what matters of a
   request is kept as places in the buffer that it is read into. */
#ifndef REQUEST_H
#define REQUEST_H

#include <http_parser.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the request line, of the fields, of a body, which is dropped; and how many
   fields. */
enum { LINE_MOST = 8192, FIELDS_MOST = 16384, BODY_MOST = 65536, COUNT_MOST = 100 };

enum field {
    HOST, EXPECT, RANGE, IF_RANGE, IF_MATCH, IF_NONE_MATCH, IF_MODIFIED_SINCE,
    IF_UNMODIFIED_SINCE, FIELDS
};

struct place { uint16_t at, len; };

struct text {                      /* not closed by a NUL; NULL: there is none */
    const char *at;
    size_t len;
};

struct request {
    http_parser parser;
    const char *base;              /* its first byte */
    struct place target, name, fields[FIELDS];
    uint16_t kept, status;         /* bytes that are needed on; refused with */
    uint32_t body;
    int8_t field;                  /* whose value is being read */
    uint8_t count;
    bool begun, in_value, head, done;      /* head: all fields are there */
};

void request_begin(struct request *);

/* Reads on. Of the request that begins at base, the bytes from `from` to len are new.
   Returns how many of these it took; status or done may be set then. */
size_t request_read(struct request *, const char *base, size_t from, size_t len);

struct text request_target(const struct request *);
struct text request_field(const struct request *, enum field);
bool text_is(struct text, const char *word);       /* in upper or lower case */

/* The client waits to be told to send its body. */
bool request_expects(const struct request *);

/* The path that a target names, in the folder, decoded and without "." and "..": "" is the
   folder itself, and all others end in / if they must be folders. path has room for
   target.len + 1. False: there is none, or it leaves the folder. */
bool request_path(struct text target, char *path);

#endif
