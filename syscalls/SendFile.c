/* SendFile - send a part of a file to a socket, waiting for room as often as it takes. */
#include "tasks/iopoll.h"

#include <errno.h>

/* Try once, so that a fast reader does not keep others waiting: the result, or COOP_WAIT; -EAGAIN
   in *n: there is no room. An error after some bytes went out is left to the next call. */
static coop_value try_once(coop_sched *s, struct coop_SendFile *c, coop_value *n)
{
    *n = s->machine->sendfile(s->machine, c->fd, c->file, c->offset + (int64_t)c->sent,
                              c->len - c->sent);
    if (*n == -EAGAIN)
        coop_io_spent(s, c->fd, COOP_WRITE);
    else if (*n <= 0)
        return *n < 0 && !c->sent ? *n : (coop_value)c->sent;
    c->sent += *n > 0 ? (size_t)*n : 0;
    return c->sent < c->len ? COOP_WAIT : (coop_value)c->sent;
}

static coop_value ready(coop_sched *s, coop_call *call)
{
    struct coop_SendFile *c = (struct coop_SendFile *)call;
    coop_value n, value = try_once(s, c, &n);
    if (value == COOP_WAIT && n != -EAGAIN)
        coop_io_again(s, c->fd, COOP_WRITE);
    return value;
}

static coop_value handle(coop_sched *s, coop_call *call)
{
    struct coop_SendFile *c = (struct coop_SendFile *)call;
    if (c->fd < 0 || c->file < 0)
        return -EBADF;
    if (c->offset < 0 || c->len > INTPTR_MAX)
        return -EINVAL;
    c->sent = 0;
    coop_value n, value = try_once(s, c, &n);
    if (value != COOP_WAIT)
        return value;
    value = coop_io_wait(s, call, c->fd, COOP_WRITE);
    return value < 0 && value != COOP_WAIT && c->sent ? (coop_value)c->sent : value;
}

static bool undo(coop_sched *s, coop_call *call)
{
    coop_io_undo(s, call, ((struct coop_SendFile *)call)->fd, COOP_WRITE);
    return true;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_SendFile *c = (const struct coop_SendFile *)call;
    coop_print(text, "%d, %d, %lld, %zu", c->fd, c->file, (long long)c->offset, c->len);
    if (!result && c->sent)
        coop_print(text, " (%zu sent)", c->sent);
}

const coop_call_type coop_SendFile_type = {
    .name = "SendFile", .outside = true, .handle = handle, .ready = ready, .undo = undo,
    .describe = describe
};
