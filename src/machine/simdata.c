/* simdata.c - what goes through the simulated machine's connections. Each end has the bytes
   that have come for it; what is sent or received at once is cut by chance. */
#include "config.h"

#include "machine/sim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 16384 };

/* Part of n bytes, or all: one in four times whole. */
static size_t piece(struct coop_sim *m, size_t n)
{
    return n < 2 || coop_sim_below(m, 4) == 0 ? n : 1 + coop_sim_below(m, n);
}

static size_t room(const struct coop_sim_socket *s)
{
    return !s->peer ? MOST_BYTES : MOST_BYTES - s->peer->used;
}

unsigned coop_sim_state(const struct coop_sim_socket *s)
{
    if (s->state == SIM_LISTENS)
        return s->queue ? COOP_READ : 0;
    if (s->state == SIM_DIALS)
        return 0;
    if (s->state == SIM_REFUSED)
        return COOP_READ | COOP_WRITE | COOP_OVER;
    bool over = s->ended || s->deaf || s->error;
    return (over ? COOP_OVER : 0u) | (over || s->used ? COOP_READ : 0u)
        | (room(s) || s->mute || s->error ? COOP_WRITE : 0u);
}

static int put(struct coop_sim_socket *s, const char *bytes, size_t n)
{
    if (s->from && s->from + s->used + n > s->size) {
        memmove(s->data, s->data + s->from, s->used);
        s->from = 0;
    }
    if (s->used + n > s->size) {
        size_t size = s->size ? s->size : 256;
        while (size < s->used + n)
            size *= 2;
        char *data = realloc(s->data, size);
        if (!data)
            return -ENOMEM;
        s->data = data;
        s->size = size;
    }
    memcpy(s->data + s->from + s->used, bytes, n);
    s->used += n;
    return 0;
}

static int take_error(struct coop_sim_socket *s)
{
    int error = s->error;
    s->error = 0;
    return -error;
}

/* 0, or why there can be nothing to send or receive. */
static int joined(const struct coop_sim_socket *s)
{
    if (!s)
        return -EBADF;
    return s->state == SIM_JOINED ? 0 : s->state == SIM_DIALS ? -EAGAIN : -ENOTCONN;
}

/* What was not received before a reset is there to be received first. */
static coop_value recv_socket(coop_machine *m, int fd, void *buf, size_t len)
{
    struct coop_sim_socket *s = coop_sim_socket(coop_sim_of(m), fd);
    int r = joined(s);
    if (r < 0 || !len)
        return r;
    if (!s->used)
        return s->error ? take_error(s) : s->ended || s->deaf ? 0 : -EAGAIN;
    size_t n = piece(coop_sim_of(m), len < s->used ? len : s->used);
    memcpy(buf, s->data + s->from, n);
    s->used -= n;
    s->from = s->used ? s->from + n : 0;
    return (coop_value)n;
}

/* The first that is sent over tcp:// to an end that was closed is lost without a word: the
   answer to it has still to come. Then there is -EPIPE. */
static coop_value send_socket(coop_machine *m, int fd, const void *buf, size_t len)
{
    struct coop_sim_socket *s = coop_sim_socket(coop_sim_of(m), fd);
    int r = joined(s);
    if (r < 0)
        return r;
    if (s->error)
        return take_error(s);
    if (s->mute || s->broken || (!s->peer && s->here.kind == COOP_LOCAL))
        return -EPIPE;
    if (!len)
        return 0;
    s->broken = !s->peer;
    if (s->broken)
        return (coop_value)len;
    if (!room(s))
        return -EAGAIN;
    size_t n = piece(coop_sim_of(m), len < room(s) ? len : room(s));
    r = put(s->peer, buf, n);
    return r < 0 ? r : (coop_value)n;
}

static int shutdown_socket(coop_machine *m, int fd, int how)
{
    struct coop_sim_socket *s = coop_sim_socket(coop_sim_of(m), fd);
    if (!s)
        return -EBADF;
    if (s->state != SIM_JOINED || s->broken)
        return -ENOTCONN;
    s->deaf |= how != COOP_SEND;
    s->mute |= how != COOP_RECV;
    if (s->peer && s->mute)
        s->peer->ended = true;
    return 0;
}

/* ---- What there is not ---- */

static coop_value no_recvfrom(coop_machine *m, int fd, void *buf, size_t len, char *from,
                              size_t size)
{
    (void)m, (void)fd, (void)buf, (void)len, (void)from, (void)size;
    return -ENOSYS;
}

static coop_value no_sendto(coop_machine *m, int fd, const void *buf, size_t len,
                            const coop_spot *to)
{
    (void)m, (void)fd, (void)buf, (void)len, (void)to;
    return -ENOSYS;
}

static coop_value no_sendfile(coop_machine *m, int fd, int file, int64_t offset, size_t len)
{
    (void)m, (void)fd, (void)file, (void)offset, (void)len;
    return -ENOSYS;
}

void coop_sim_data(coop_machine *m)
{
    m->recv = recv_socket;
    m->send = send_socket;
    m->shutdown = shutdown_socket;
    m->recvfrom = no_recvfrom;
    m->sendto = no_sendto;
    m->sendfile = no_sendfile;
}
