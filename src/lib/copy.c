/* copy.c - copying from a descriptor to another. */
#include "config.h"

#include "coop.h"

#include <stdlib.h>

enum { BUFFER = 32 * 1024, AT_ONCE = 1024 * 1024 };
enum { BY_RECV, BY_SENDFILE, BY_PREAD, BY_READ };

static size_t most_now(const struct coop_copy *my, size_t most)
{
    uint64_t left = my->len - my->done_;
    return my->len && left < most ? (size_t)left : most;
}

/* The host or the source does not know this way. */
static bool no_way(coop_value r)
{
    return r == -EINVAL || r == -ENOSYS || r == -ENOTSOCK || r == -ESPIPE
        || r == -EOPNOTSUPP;
}

coop_routine(is_socket, int fd; coop_value r; char name[8];)
{
    coop_begin;
    coop_trap(my->r, SockName, .fd = my->fd, .name = my->name, .size = sizeof my->name);
    coop_return(my->r == -ENOTSOCK ? 0 : my->r < 0 ? my->r : 1);
    coop_end;
}

/* Sends as long as there is something: why it ended. */
coop_routine(by_sendfile, struct coop_copy *copy; coop_value r;)
{
    coop_begin;
    do {
        coop_trap(my->r, SendFile, .fd = my->copy->to, .file = my->copy->from,
                  .offset = my->copy->offset + (int64_t)my->copy->done_,
                  .len = most_now(my->copy, AT_ONCE));
        if (my->r > 0)
            my->copy->done_ += (uint64_t)my->r;
    } while (my->r > 0 && (!my->copy->len || my->copy->done_ < my->copy->len));
    coop_return(my->r);
    coop_end;
}

coop_routine(read_once, struct coop_copy *copy; coop_value r;)
{
    coop_begin;
    if (my->copy->way_ == BY_PREAD) {
        coop_trap(my->r, Pread, .fd = my->copy->from, .buf = my->copy->buf_,
                  .len = most_now(my->copy, BUFFER),
                  .at = my->copy->offset + (int64_t)my->copy->done_);
        if (my->copy->done_ || !no_way(my->r))
            coop_return(my->r);
        my->copy->way_ = BY_READ;
    }
    if (my->copy->way_ == BY_RECV)
        coop_trap(my->r, Recv, .fd = my->copy->from, .buf = my->copy->buf_,
                  .len = most_now(my->copy, BUFFER));
    else
        coop_trap(my->r, Read, .fd = my->copy->from, .buf = my->copy->buf_,
                  .len = most_now(my->copy, BUFFER));
    coop_return(my->r);
    coop_end;
}

/* A write that came short is made again to learn why. */
coop_routine(write_out, struct coop_copy *copy; coop_value left, r;)
{
    coop_begin;
    while (my->left > 0) {
        char *from = my->copy->buf_ + my->copy->n_ - my->left;
        if (my->copy->plain_)
            coop_trap(my->r, Write, .fd = my->copy->to, .buf = from,
                      .len = (size_t)my->left);
        else
            coop_trap(my->r, Send, .fd = my->copy->to, .buf = from,
                      .len = (size_t)my->left);
        if (my->r <= 0)
            coop_return(my->r < 0 ? my->r : -EIO);
        my->left -= my->r;
    }
    coop_end;
}

coop_define(coop_copy)
{
    coop_begin;
    if (my->offset < 0)
        coop_return(-EINVAL);
    coop_await(my->r_, is_socket, .fd = my->to);
    my->plain_ = my->r_ == 0;
    if (my->r_ >= 0)
        coop_await(my->r_, is_socket, .fd = my->from);
    if (my->r_ < 0)
        coop_return(my->r_);
    my->way_ = my->r_ ? BY_RECV : my->plain_ ? BY_PREAD : BY_SENDFILE;
    if (my->way_ == BY_SENDFILE) {
        coop_await(my->r_, by_sendfile, .copy = my);
        if (my->done_ || !no_way(my->r_))
            coop_return(my->r_ < 0 ? my->r_ : (coop_value)my->done_);
        my->way_ = BY_PREAD;
    }
    my->buf_ = malloc(BUFFER);
    if (!my->buf_)
        coop_return(-ENOMEM);
    while (!my->len || my->done_ < my->len) {
        coop_await(my->n_, read_once, .copy = my);
        if (my->n_ <= 0)
            coop_return(my->n_ < 0 ? my->n_ : (coop_value)my->done_);
        coop_await(my->r_, write_out, .copy = my, .left = my->n_);
        if (my->r_ < 0)
            coop_return(my->r_);
        my->done_ += (uint64_t)my->n_;
    }
    coop_return(my->done_);
    coop_finally;
    free(my->buf_);
    coop_end;
}
