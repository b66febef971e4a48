/* read.c - reading from streams: bytes, lines, frames. */
#include "lib/stream.h"

#include <string.h>

enum { ROOM = 4096 };

/* What was written before could not be sent. Where the connection is over there may still be
   something to read, and then the end; else the answer would be waited for in vain. */
static bool is_vain(coop_value drained)
{
    return drained < 0 && drained != -EPIPE && drained != -ECONNRESET;
}

coop_define(coop_stream_take)
{
    coop_begin;
    if (!my->stream->plain) {
        coop_trap(my->r, Recv, .fd = my->stream->fd, .buf = my->buf, .len = my->len);
        if (my->r != -ENOTSOCK)
            coop_return(my->r);
        my->stream->plain = true;
    }
    coop_trap(my->r, Read, .fd = my->stream->fd, .buf = my->buf, .len = my->len);
    coop_return(my->r);
    coop_end;
}

/* An idle stream has no buffer: it is given back before the wait, and had again after. */
coop_define(coop_stream_fill)
{
    coop_begin;
    if (coop_stream_owes(my->stream))
        coop_await(my->r, coop_drain, .stream = my->stream);
    if (is_vain(my->r))
        coop_return(my->r);
    if (coop_bytes_used(&my->stream->in) == 0 && my->stream->dry) {
        coop_bytes_clear(&my->stream->in);
        coop_trap(my->r, ReadWait, .fd = my->stream->fd);
        if (my->r < 0)
            coop_return(my->r);
    }
    struct coop_bytes *in = &my->stream->in;
    size_t most = (size_t)my->stream->limit + HEADER, room = most < ROOM ? most : ROOM;
    if (!coop_bytes_room(in, 1, my->need > room ? my->need : room, most))
        coop_return(-ENOMEM);
    coop_await(my->r, coop_stream_take, .stream = my->stream, .buf = in->data + in->end,
               .len = in->size - in->end);
    if (my->r > 0) {
        my->stream->dry = (size_t)my->r < my->stream->in.size - my->stream->in.end;
        my->stream->in.end += (uint32_t)my->r;
    }
    coop_return(my->r);
    coop_end;
}

/* What has been received already, up to len bytes. */
static size_t take_over(coop_stream *stream, void *buf, size_t len)
{
    size_t n = coop_bytes_used(&stream->in);
    if (n > len)
        n = len;
    if (n)
        memcpy(buf, stream->in.data + stream->in.at, n);
    coop_bytes_take(&stream->in, n);
    return n;
}

coop_define(coop_read_some)
{
    coop_begin;
    my->r_ = coop_stream_begin(my->stream, true);
    my->mine_ = my->r_ == 0;
    if (my->mine_)
        my->r_ = (coop_value)take_over(my->stream, my->buf, my->len);
    if (my->r_ || !my->len)
        coop_return(my->r_);
    coop_bytes_clear(&my->stream->in);
    if (coop_stream_owes(my->stream))
        coop_await(my->r_, coop_drain, .stream = my->stream);
    if (is_vain(my->r_))
        coop_return(my->r_);
    coop_await(my->r_, coop_stream_take, .stream = my->stream, .buf = my->buf,
               .len = my->len);
    coop_return(my->r_);
    coop_finally;
    if (my->mine_)
        coop_stream_end(my->stream, true);
    coop_end;
}

coop_define(coop_read_exact)
{
    coop_begin;
    my->r_ = coop_stream_begin(my->stream, true);
    my->mine_ = my->r_ == 0;
    while (my->r_ >= 0) {
        my->done_ += take_over(my->stream, (char *)my->buf + my->done_,
                               my->len - my->done_);
        if (my->done_ == my->len)
            break;
        if (my->len - my->done_ < ROOM) {
            coop_await(my->r_, coop_stream_fill, .stream = my->stream);
            if (my->r_ == 0)
                break;
            continue;
        }
        if (coop_stream_owes(my->stream))
            coop_await(my->r_, coop_drain, .stream = my->stream);
        if (is_vain(my->r_))
            break;
        coop_await(my->r_, coop_stream_take, .stream = my->stream,
                   .buf = (char *)my->buf + my->done_, .len = my->len - my->done_);
        if (my->r_ == 0)
            break;
        my->done_ += my->r_ > 0 ? (size_t)my->r_ : 0;
    }
    coop_return(my->r_ < 0 ? my->r_ : (coop_value)my->done_);
    coop_finally;
    if (my->mine_)
        coop_stream_end(my->stream, true);
    coop_end;
}

static size_t within(const coop_stream *stream, size_t limit)
{
    return limit && limit < stream->limit ? limit : stream->limit;
}

/* Hands out len bytes at the beginning, and takes taken. */
static coop_value hand_out(struct coop_read_line *my, size_t len, size_t taken)
{
    struct coop_bytes *in = &my->stream->in;
    char *line = in->data + in->at;
    bool passed = my->stream->passing;
    my->stream->passing = false;
    coop_bytes_take(in, taken);
    my->seen_ = 0;
    if (passed)
        return 0;
    if (len > within(my->stream, my->limit))
        return -EMSGSIZE;
    line[len] = '\0';
    *my->line = line;
    if (my->length)
        *my->length = len;
    return (coop_value)taken;
}

/* Looks for a line in what has been received: what to return, or 0 to get more. */
static coop_value find_line(struct coop_read_line *my)
{
    struct coop_bytes *in = &my->stream->in;
    for (;;) {
        size_t used = coop_bytes_used(in);
        if (used == my->seen_)
            break;
        const char *line = in->data + in->at;
        const char *end = memchr(line + my->seen_, '\n', used - my->seen_);
        if (!end)
            break;
        size_t len = (size_t)(end - line);
        coop_value r = hand_out(my, len && line[len - 1] == '\r' ? len - 1 : len, len + 1);
        if (r)
            return r;
    }
    size_t used = coop_bytes_used(in), limit = within(my->stream, my->limit);
    bool over = used > limit + 1 || (used > limit && in->data[in->end - 1] != '\r');
    my->seen_ = used;
    if (over || my->stream->passing) {
        coop_bytes_take(in, used);
        my->seen_ = 0;
        my->stream->passing = true;
    }
    return over ? -EMSGSIZE : 0;
}

coop_define(coop_read_line)
{
    coop_begin;
    my->r_ = coop_stream_begin(my->stream, true);
    my->mine_ = my->r_ == 0;
    if (my->r_ == 0 && !my->line)
        coop_return(-EFAULT);
    while (my->mine_) {
        my->r_ = find_line(my);
        if (my->r_)
            break;
        coop_await(my->r_, coop_stream_fill, .stream = my->stream, .need = my->seen_ + 1);
        if (my->r_ > 0)
            continue;
        if (my->r_ == 0 && (my->seen_ || my->stream->passing))
            my->r_ = hand_out(my, my->seen_, my->seen_);
        break;
    }
    coop_return(my->r_);
    coop_finally;
    if (my->mine_)
        coop_stream_end(my->stream, true);
    coop_end;
}

/* How long the frame at the beginning is, with its header; 0: not known yet. */
static size_t frame_size(const struct coop_bytes *in)
{
    if (coop_bytes_used(in) < HEADER)
        return 0;
    const unsigned char *h = (const unsigned char *)in->data + in->at;
    return HEADER + ((size_t)h[0] << 24 | (size_t)h[1] << 16 | (size_t)h[2] << 8 | h[3]);
}

/* One byte forward, over its header, so that the NUL does not stand in the next one. */
static void move_frame(struct coop_read_frame *my)
{
    struct coop_bytes *in = &my->stream->in;
    size_t len = my->need_ - HEADER;
    char *frame = in->data + in->at + HEADER - 1;
    memmove(frame, frame + 1, len);
    frame[len] = '\0';
    *my->frame = frame;
    if (my->length)
        *my->length = len;
    coop_bytes_take(in, my->need_);
}

coop_define(coop_read_frame)
{
    coop_begin;
    my->r_ = coop_stream_begin(my->stream, true);
    my->mine_ = my->r_ == 0;
    if (my->r_ < 0)
        coop_return(my->r_);
    if (!my->frame)
        coop_return(-EFAULT);
    for (;;) {
        my->need_ = frame_size(&my->stream->in);
        if (my->need_ > HEADER + within(my->stream, my->limit))
            coop_return(-EMSGSIZE);
        if (my->need_ && coop_bytes_used(&my->stream->in) >= my->need_)
            break;
        coop_await(my->r_, coop_stream_fill, .stream = my->stream, .need = my->need_);
        if (my->r_ == 0 && coop_bytes_used(&my->stream->in))
            my->r_ = -EPROTO;
        if (my->r_ <= 0)
            coop_return(my->r_);
    }
    move_frame(my);
    coop_return(my->need_);
    coop_finally;
    if (my->mine_)
        coop_stream_end(my->stream, true);
    coop_end;
}
