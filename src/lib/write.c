/* write.c - writing to streams: what is put into the buffer, and how it gets out. */
#include "lib/stream.h"

#include <stdlib.h>

/* Nobody can be told that somebody else is through, but he waits for the same. */
coop_define(coop_stream_turn)
{
    coop_begin;
    while (my->stream->sending) {
        coop_trap(my->r, WriteWait, .fd = my->stream->fd);
        if (my->stream->error)
            coop_return(my->stream->error);
        if (my->r < 0)
            coop_return(my->r);
        if (my->stream->sending)
            coop_trap(coop_void, Sleep, .ns = COOP_MS(1));
    }
    my->stream->sending = true;
    coop_end;
}

coop_define(coop_stream_put)
{
    coop_begin;
    while (my->done < my->len && !my->stream->error) {
        my->r = 0;
        if (my->stream->plain)
            coop_trap(my->r, Write, .fd = my->stream->fd, .buf = my->buf + my->done,
                      .len = my->len - my->done);
        else
            coop_trap(my->r, Send, .fd = my->stream->fd, .buf = my->buf + my->done,
                      .len = my->len - my->done);
        if (my->r == -ENOTSOCK && !my->stream->plain) {
            my->stream->plain = true;
            continue;
        }
        if (my->r <= 0 && !my->stream->error)
            my->stream->error = my->r < 0 ? (int)my->r : -EIO;
        my->done += my->r > 0 ? (size_t)my->r : 0;
        my->r = 0;
    }
    coop_return(my->stream->error);
    coop_finally;
    if (my->r > 0)
        my->done += (size_t)my->r; /* killed, but the answer had come */
    if (my->done < my->len && !my->stream->error)
        my->stream->error = -ECANCELED;
    coop_end;
}

/* What is being sent is out of the buffer, so that others can add to that. */
coop_define(coop_drain)
{
    coop_begin;
    my->r_ = coop_stream_begin(my->stream, false);
    my->used_ = my->r_ == 0;
    if (my->r_ == 0)
        coop_await(my->r_, coop_stream_turn, .stream = my->stream);
    if (my->r_ < 0)
        coop_return(my->r_);
    my->mine_ = true;
    while (coop_bytes_used(&my->stream->out) && !my->stream->error) {
        struct coop_bytes *out = &my->stream->out;
        my->data_ = out->data;
        my->at_ = out->at;
        my->stream->leaving = (uint32_t)coop_bytes_used(out);
        *out = (struct coop_bytes){ NULL, 0, 0, 0 };
        coop_await(my->r_, coop_stream_put, .stream = my->stream,
                   .buf = my->data_ + my->at_, .len = my->stream->leaving);
        if (my->r_ < 0)
            my->stream->error = (int)my->r_;
        my->stream->leaving = 0;
        free(my->data_);
        my->data_ = NULL;
    }
    coop_return(my->stream->error);
    coop_finally;
    free(my->data_);
    if (my->mine_) {
        my->stream->leaving = 0;
        my->stream->sending = false;
        if (my->stream->error)
            coop_bytes_clear(&my->stream->out);
    }
    if (my->used_)
        coop_stream_end(my->stream, false);
    coop_end;
}

coop_define(coop_write_all)
{
    coop_begin;
    my->r_ = coop_stream_begin(my->stream, false);
    my->used_ = my->r_ == 0;
    while (my->r_ == 0) {
        my->r_ = coop_stream_add(my->stream, my->buf, my->len, my->stream->limit);
        if (my->r_ != -ENOBUFS)
            coop_return(my->r_);
        coop_await(my->r_, coop_drain, .stream = my->stream);
        if (my->r_ == 0 && my->len > my->stream->limit)
            break;
    }
    if (my->r_ == 0)
        coop_await(my->r_, coop_stream_turn, .stream = my->stream);
    if (my->r_ < 0)
        coop_return(my->r_);
    my->mine_ = true;
    coop_await(my->r_, coop_stream_put, .stream = my->stream, .buf = my->buf,
               .len = my->len);
    coop_return(my->r_ < 0 ? my->r_ : (coop_value)my->len);
    coop_finally;
    if (my->mine_)
        my->stream->sending = false;
    if (my->used_)
        coop_stream_end(my->stream, false);
    coop_end;
}

/* Both parts at once, or neither. */
static coop_value add_frame(coop_stream *stream, const void *buf, size_t len)
{
    size_t most = (size_t)stream->limit + HEADER;
    const unsigned char header[HEADER] = {
        (unsigned char)(len >> 24), (unsigned char)(len >> 16), (unsigned char)(len >> 8),
        (unsigned char)len
    };
    if (len > stream->limit)
        return -EMSGSIZE;
    if ((size_t)coop_stream_unsent(stream) + HEADER + len > most)
        return stream->error ? stream->error : -ENOBUFS;
    if (!coop_bytes_room(&stream->out, HEADER + len, 0, most))
        return -ENOMEM;
    coop_value r = coop_stream_add(stream, header, HEADER, most);
    if (r > 0)
        r = coop_stream_add(stream, buf, len, most);
    return r < 0 ? r : (coop_value)(HEADER + len);
}

coop_define(coop_write_frame)
{
    coop_begin;
    my->r_ = coop_stream_begin(my->stream, false);
    my->used_ = my->r_ == 0;
    while (my->r_ == 0) {
        my->r_ = add_frame(my->stream, my->buf, my->len);
        if (my->r_ != -ENOBUFS)
            break;
        coop_await(my->r_, coop_drain, .stream = my->stream);
    }
    coop_return(my->r_);
    coop_finally;
    if (my->used_)
        coop_stream_end(my->stream, false);
    coop_end;
}
