/* Send - send all of a buffer to a socket, waiting for room as often as it takes. */
#include "tasks/iopoll.h"

#include <errno.h>

/* What came of one try: the result, or COOP_WAIT. An error after some bytes went out is left
   to the next Send. */
static coop_value tried(coop_sched *s, struct coop_Send *c, coop_value n)
{
    if (n == -EAGAIN)
        coop_io_spent(s, c->fd, COOP_WRITE);
    else if (n < 0 && n != -EINTR)
        return c->sent ? (coop_value)c->sent : n;
    c->sent += n > 0 ? (size_t)n : 0;
    return c->sent < c->len ? COOP_WAIT : (coop_value)c->sent;
}

/* Once each time, so that a fast reader does not keep others waiting. */
static coop_value ready(coop_sched *s, coop_call *call)
{
    struct coop_Send *c = (struct coop_Send *)call;
    coop_value n = s->machine->send(s->machine, c->fd, (const char *)c->buf + c->sent,
                                    c->len - c->sent);
    coop_value value = tried(s, c, n);
    if (value == COOP_WAIT && n != -EAGAIN)
        coop_io_again(s, c->fd, COOP_WRITE);
    return value;
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
    c->sent = 0;
    n = tried(s, c, n);
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
