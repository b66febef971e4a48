/* stream.h - what a stream is made of, for the routines that read and write it. */
#ifndef COOP_STREAM_H
#define COOP_STREAM_H

#include "config.h"

#include "coop.h"

/* Bytes in a row: data[at] up to data[end]. There is always room for a NUL behind size. */
struct coop_bytes {
    char *data;
    uint32_t at, end, size;
};

struct coop_stream {
    struct coop_bytes in, out;
    coop_tid writer;               /* of what is in out; ANYONE: more than one task */
    int fd, error;                 /* error: why nothing can be written any more */
    uint32_t limit;
    uint32_t leaving;              /* bytes that were taken out of out and are being sent */
    uint16_t users;                /* routines at work on it */
    bool reading, sending;         /* somebody is */
    bool plain;                    /* no socket */
    bool dry;                      /* less had come than there was room for */
    bool passing;                  /* over the rest of a line that was too long */
    bool gone;                     /* released, as soon as there are no users */
};

enum { ANYONE = -1, HEADER = 4 };  /* of a frame, which may come on top of the limit */

#pragma GCC visibility push(hidden)

static inline size_t coop_bytes_used(const struct coop_bytes *b)
{
    return b->end - b->at;
}

/* Room for len more in a row, in a buffer of size bytes or more, but not for more than most
   in all if that is enough; false: no memory. What is in it may move. */
bool coop_bytes_room(struct coop_bytes *b, size_t len, size_t size, size_t most);
void coop_bytes_take(struct coop_bytes *b, size_t len);
void coop_bytes_clear(struct coop_bytes *b);

/* A routine begins and ends its work on a stream; 0, or an error to return. */
coop_value coop_stream_begin(coop_stream *stream, bool reading);
void coop_stream_end(coop_stream *stream, bool reading);
void coop_stream_release(coop_stream *stream);

/* Adds to out, if that holds no more than most then: len, or -ENOBUFS, or an error. */
coop_value coop_stream_add(coop_stream *stream, const void *buf, size_t len, size_t most);
void coop_stream_added(coop_stream *stream, size_t len);

/* What the calling task has written and nobody is sending. */
bool coop_stream_owes(const coop_stream *stream);

/* Receive once, into buf. */
coop_declare(coop_stream_take, coop_stream *stream; void *buf; size_t len; coop_value r;);

/* Have need bytes or some more than before in the in-buffer; the number that came, 0 at the
   end. */
coop_declare(coop_stream_fill, coop_stream *stream; size_t need; coop_value r;);

/* Wait until nobody sends, and be the one who does: to be given back by sending = false. */
coop_declare(coop_stream_turn, coop_stream *stream; coop_value r;);

/* Send all of buf; what goes wrong is the stream's error from then on. */
coop_declare(coop_stream_put, coop_stream *stream; const char *buf; size_t len, done;
             coop_value r;);

#pragma GCC visibility pop

#endif
