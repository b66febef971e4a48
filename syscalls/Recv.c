/* Recv - receive from a socket, waiting for it if need be. */
#include "tasks/iopoll.h"

#include <errno.h>

/* A stream that gave less than there was room for is empty: it need not be asked to say so. */
static coop_value ready(coop_sched *s, coop_call *call)
{
    struct coop_Recv *c = (struct coop_Recv *)call;
    coop_value n;
    do
        n = s->machine->recv(s->machine, c->fd, c->buf, c->len);
    while (COOP_RARE(n == -EINTR));
    if (COOP_RARE(n <= 0)) {
        if (n != -EAGAIN)
            return n;
        coop_io_spent(s, c->fd, COOP_READ);
        return COOP_WAIT;
    }
    if ((size_t)n < c->len)
        coop_io_short(s, c->fd);
    return n;
}

/* Apart, so that waiting without a try, the common case, saves no registers. */
__attribute__((noinline)) static coop_value try_first(coop_sched *s, coop_call *call)
{
    const struct coop_Recv *c = (const struct coop_Recv *)call;
    if (!c->buf && c->len)
        return -EFAULT;
    coop_value n = c->fd < 0 ? -EBADF : ready(s, call);
    if (n != COOP_WAIT)
        return n;
    return c->len ? coop_io_wait(s, call, c->fd, COOP_READ) : 0;
}

static coop_value handle(coop_sched *s, coop_call *call)
{
    const struct coop_Recv *c = (const struct coop_Recv *)call;
    if (c->buf && c->len && coop_io_is_spent(s, c->fd, COOP_READ))
        return coop_io_wait(s, call, c->fd, COOP_READ);
    return try_first(s, call);
}

static bool undo(coop_sched *s, coop_call *call)
{
    coop_io_undo(s, call, ((struct coop_Recv *)call)->fd, COOP_READ);
    return true;
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
