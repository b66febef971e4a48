/* Recv - receive from a socket, waiting for it if need be. */
#include "tasks/iopoll.h"

#include <errno.h>

static coop_value ready(coop_sched *s, coop_call *call)
{
    struct coop_Recv *c = (struct coop_Recv *)call;
    coop_value n = c->fd < 0 ? -EBADF : s->machine->recv(s->machine, c->fd, c->buf, c->len);
    return n == -EAGAIN ? COOP_WAIT : n;
}

static coop_value handle(coop_sched *s, coop_call *call)
{
    const struct coop_Recv *c = (const struct coop_Recv *)call;
    if (!c->buf && c->len)
        return -EFAULT;
    coop_value n = ready(s, call);
    if (n != COOP_WAIT)
        return n;
    return c->len ? coop_io_wait(s, call, c->fd, COOP_READ) : 0;
}

static void undo(coop_sched *s, coop_call *call)
{
    coop_io_undo(s, call, ((struct coop_Recv *)call)->fd, COOP_READ);
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_Recv *c = (const struct coop_Recv *)call;
    coop_print(text, "%d, ", c->fd);
    if (result && *result >= 0) {
        coop_print_bytes(text, c->buf, (size_t)*result);
        coop_print(text, ", ");
    }
    coop_print(text, "%zu", c->len);
}

const coop_call_type coop_Recv_type = {
    .name = "Recv", .outside = true, .handle = handle, .ready = ready, .undo = undo,
    .describe = describe
};
