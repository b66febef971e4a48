/* Send - send all of a buffer to a socket, waiting for room as often as it takes. */
#include "tasks/iopoll.h"

#include <errno.h>

/* An error after some bytes went out is left to the next Send. */
static coop_value stopped(coop_sched *s, const struct coop_Send *c, coop_value error)
{
    if (error != -EAGAIN)
        return c->sent ? (coop_value)c->sent : error;
    coop_io_spent(s, c->fd, COOP_WRITE);
    return COOP_WAIT;
}

static coop_value ready(coop_sched *s, coop_call *call)
{
    struct coop_Send *c = (struct coop_Send *)call;
    coop_value n = 0;
    while ((n >= 0 || n == -EINTR) && c->sent < c->len) {
        n = s->machine->send(s->machine, c->fd, (const char *)c->buf + c->sent, c->len - c->sent);
        if (n > 0)
            c->sent += (size_t)n;
    }
    return n < 0 ? stopped(s, c, n) : (coop_value)c->sent;
}

static coop_value handle(coop_sched *s, coop_call *call)
{
    struct coop_Send *c = (struct coop_Send *)call;
    if (c->fd < 0)
        return -EBADF;
    if (!c->buf && c->len)
        return -EFAULT;
    if (c->len > INTPTR_MAX)
        return -EINVAL;
    coop_value n = s->machine->send(s->machine, c->fd, c->buf, c->len);
    if (n == (coop_value)c->len)
        return n;
    c->sent = n > 0 ? (size_t)n : 0;
    n = n >= 0 || n == -EINTR ? ready(s, call) : stopped(s, c, n);
    if (n != COOP_WAIT)
        return n;
    n = coop_io_wait(s, call, c->fd, COOP_WRITE);
    return n < 0 && n != COOP_WAIT && c->sent ? (coop_value)c->sent : n;
}

static bool undo(coop_sched *s, coop_call *call)
{
    coop_io_undo(s, call, ((struct coop_Send *)call)->fd, COOP_WRITE);
    return true;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_Send *c = (const struct coop_Send *)call;
    coop_print(text, "%d, ", c->fd);
    coop_print_bytes(text, c->buf, c->len);
    coop_print(text, ", %zu", c->len);
    if (!result && c->sent)
        coop_print(text, " (%zu sent)", c->sent);
}

const coop_call_type coop_Send_type = {
    .name = "Send", .outside = true, .handle = handle, .ready = ready, .undo = undo,
    .describe = describe
};
