/* RecvFrom - receive a datagram, waiting for it if need be. */
#include "tasks/iopoll.h"

#include <errno.h>

static coop_value ready(coop_sched *s, coop_call *call)
{
    struct coop_RecvFrom *c = (struct coop_RecvFrom *)call;
    coop_machine *m = s->machine;
    coop_value n = m->recvfrom(m, c->fd, c->buf, c->len, c->from, c->from_size);
    if (n != -EAGAIN)
        return n;
    coop_io_spent(s, c->fd, COOP_READ);
    return COOP_WAIT;
}

static coop_value handle(coop_sched *s, coop_call *call)
{
    const struct coop_RecvFrom *c = (const struct coop_RecvFrom *)call;
    coop_value n = COOP_WAIT;
    if (c->fd < 0)
        return -EBADF;
    if (!c->buf && c->len)
        return -EFAULT;
    if (!coop_io_is_spent(s, c->fd, COOP_READ))
        n = ready(s, call);
    return n != COOP_WAIT ? n : coop_io_wait(s, call, c->fd, COOP_READ);
}

static bool undo(coop_sched *s, coop_call *call)
{
    coop_io_undo(s, call, ((struct coop_RecvFrom *)call)->fd, COOP_READ);
    return true;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_RecvFrom *c = (const struct coop_RecvFrom *)call;
    coop_print(text, "%d, ", c->fd);
    if (result && *result >= 0) {
        coop_print_bytes(text, c->buf, (size_t)*result);
        coop_print(text, ", ");
    }
    coop_print(text, "%zu", c->len);
    if (result && *result >= 0 && c->from && c->from_size)
        coop_print(text, ", from %s", c->from);
}

const coop_call_type coop_RecvFrom_type = {
    .name = "RecvFrom", .outside = true, .handle = handle, .ready = ready, .undo = undo,
    .describe = describe
};
