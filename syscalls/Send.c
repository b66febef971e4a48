/* Send - send all of a buffer to a socket, waiting for room as often as it takes. */
#include "tasks/iopoll.h"

#include <errno.h>

/* An error after some bytes went out is left to the next Send. */
static coop_value ready(coop_sched *s, coop_call *call)
{
    struct coop_Send *c = (struct coop_Send *)call;
    do {
        const char *from = c->sent ? (const char *)c->buf + c->sent : c->buf;
        coop_value n = s->machine->send(s->machine, c->fd, from, c->len - c->sent);
        if (n == -EAGAIN)
            return COOP_WAIT;
        if (n < 0)
            return c->sent ? (coop_value)c->sent : n;
        c->sent += (size_t)n;
    } while (c->sent < c->len);
    return (coop_value)c->sent;
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
    c->sent = 0;
    coop_value n = ready(s, call);
    if (n != COOP_WAIT)
        return n;
    n = coop_io_wait(s, call, c->fd, COOP_WRITE);
    return n < 0 && n != COOP_WAIT && c->sent ? (coop_value)c->sent : n;
}

static void undo(coop_sched *s, coop_call *call)
{
    coop_io_undo(s, call, ((struct coop_Send *)call)->fd, COOP_WRITE);
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
