/* stream.c - streams: buffers over a descriptor, and who is at work on them. */
#include "lib/stream.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIMIT = 64 * 1024, MOST = 1 << 30, LEAST = 1024 };

bool coop_bytes_room(struct coop_bytes *b, size_t len, size_t size, size_t most)
{
    size_t used = coop_bytes_used(b), need = used + len;
    bool too_little = b->at && b->size - b->end < b->size / 4;
    if (b->size >= size && b->size - b->end >= len && !too_little)
        return true;
    if (b->size < need || b->size < size) {
        size_t new = b->size ? b->size : LEAST;
        while (new < need || new < size)
            new *= 2;
        if (new > most)
            new = need > most ? need : most;
        char *data = malloc(new + 1);
        if (!data)
            return false;
        if (used)
            memcpy(data, b->data + b->at, used);
        free(b->data);
        b->data = data;
        b->size = (uint32_t)new;
    } else if (used) {
        memmove(b->data, b->data + b->at, used);
    }
    b->at = 0;
    b->end = (uint32_t)used;
    return true;
}

/* The bytes stay where they are until there is need for room. */
void coop_bytes_take(struct coop_bytes *b, size_t len)
{
    b->at += (uint32_t)len;
    if (b->at == b->end)
        b->at = b->end = 0;
}

void coop_bytes_clear(struct coop_bytes *b)
{
    free(b->data);
    *b = (struct coop_bytes){ NULL, 0, 0, 0 };
}

coop_stream *coop_stream_open(int fd, size_t limit)
{
    coop_stream *stream = calloc(1, sizeof *stream);
    if (stream) {
        stream->fd = fd;
        stream->dry = true;
        stream->limit = !limit ? LIMIT : limit < MOST ? (uint32_t)limit : MOST;
    }
    return stream;
}

/* A reader or writer may still be inside, and comes out when its call is answered. */
void coop_stream_release(coop_stream *stream)
{
    stream->gone = true;
    stream->fd = -1;
    if (stream->users)
        return;
    coop_bytes_clear(&stream->in);
    coop_bytes_clear(&stream->out);
    free(stream);
}

int coop_stream_free(coop_stream *stream)
{
    if (!stream)
        return -ENOMEM;
    int fd = stream->fd;
    coop_stream_release(stream);
    return fd;
}

int coop_stream_fd(const coop_stream *stream)
{
    return stream ? stream->fd : -ENOMEM;
}

coop_value coop_stream_waiting(const coop_stream *stream)
{
    return stream ? (coop_value)coop_bytes_used(&stream->in) : -ENOMEM;
}

coop_value coop_stream_unsent(const coop_stream *stream)
{
    if (!stream)
        return -ENOMEM;
    return (coop_value)(coop_bytes_used(&stream->out) + stream->leaving);
}

coop_value coop_stream_begin(coop_stream *stream, bool reading)
{
    if (!stream)
        return -ENOMEM;
    if (stream->gone)
        return -EBADF;
    if (reading && stream->reading)
        return -EBUSY;
    stream->reading |= reading;
    stream->users++;
    return 0;
}

void coop_stream_end(coop_stream *stream, bool reading)
{
    if (reading)
        stream->reading = false;
    stream->users--;
    if (stream->gone)
        coop_stream_release(stream);
}

bool coop_stream_owes(const coop_stream *stream)
{
    bool own = stream->writer == ANYONE || stream->writer == coop_self();
    return own && coop_bytes_used(&stream->out) && !stream->sending && !stream->error;
}

/* len bytes have been put behind the others. */
void coop_stream_added(coop_stream *stream, size_t len)
{
    coop_tid self = coop_self() ? coop_self() : ANYONE;
    if (!coop_bytes_used(&stream->out))
        stream->writer = self;
    else if (stream->writer != self)
        stream->writer = ANYONE;
    stream->out.end += (uint32_t)len;
}

coop_value coop_stream_add(coop_stream *stream, const void *buf, size_t len, size_t most)
{
    if (stream->error)
        return stream->error;
    size_t unsent = (size_t)coop_stream_unsent(stream);
    if (unsent > most || len > most - unsent)
        return -ENOBUFS;
    if (!len)
        return 0;
    if (!coop_bytes_room(&stream->out, len, 0, stream->limit + HEADER))
        return -ENOMEM;
    memcpy(stream->out.data + stream->out.end, buf, len);
    coop_stream_added(stream, len);
    return (coop_value)len;
}

int coop_stream_print(coop_stream *stream, const char *format, ...)
{
    va_list args;
    if (!stream)
        return -ENOMEM;
    if (stream->error)
        return stream->error;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0)
        return -EINVAL;
    if ((size_t)len + (size_t)coop_stream_unsent(stream) > stream->limit)
        return -ENOBUFS;
    if (!coop_bytes_room(&stream->out, (size_t)len, 0, stream->limit))
        return -ENOMEM;
    va_start(args, format);
    vsnprintf(stream->out.data + stream->out.end, (size_t)len + 1, format, args);
    va_end(args);
    coop_stream_added(stream, (size_t)len);
    return len;
}

/* The time that a close may take is over: whoever sends is told. */
coop_routine(coop_stream_guard, coop_stream *stream; int64_t linger; int fd;)
{
    coop_begin;
    coop_trap(coop_void, Sleep, .ns = my->linger);
    my->stream->error = -ETIMEDOUT;
    my->fd = my->stream->fd;
    my->stream->fd = -1;
    coop_trap(coop_void, Close, .fd = my->fd);
    coop_end;
}

static bool is_ending(void)
{
    coop_info info;
    return coop_inspect(coop_self(), &info) == 0 && info.ending;
}

coop_define(coop_stream_close)
{
    coop_begin;
    if (!my->stream)
        coop_return(-ENOMEM);
    my->fd = my->stream->fd;
    my->r_ = my->stream->error;
    if (coop_stream_unsent(my->stream) == 0 || is_ending())
        coop_return(my->r_);
    my->guard_ = coop_spawn(coop_stream_guard, .stream = my->stream,
                            .linger = my->linger > 0 ? my->linger : COOP_S(10));
    coop_await(my->r_, coop_drain, .stream = my->stream);
    coop_return(my->r_);
    coop_finally;
    while (my->guard_ > 0) {
        coop_trap(my->closed_, KillTask, .tid = my->guard_, .wait = true);
        if (my->closed_ == -ENOMEM)
            coop_yield(coop_void, 0);
        else
            my->guard_ = 0;
    }
    if (my->stream)
        my->fd = my->stream->fd;
    else if (my->fd == 0)
        my->fd = -1;
    if (my->stream)
        coop_stream_release(my->stream);
    my->closed_ = 0;
    while (my->fd >= 0) {
        coop_trap(my->closed_, Close, .fd = my->fd);
        if (my->closed_ == -ENOMEM)
            coop_yield(coop_void, 0);
        else
            my->fd = -1;
    }
    if (my->stream)
        coop_return(my->r_ < 0 ? my->r_ : my->closed_);
    coop_end;
}
