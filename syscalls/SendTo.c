/* SendTo - send a datagram, waiting until the host takes it. */
#include "tasks/iopoll.h"

#include <errno.h>

static coop_value ready(coop_sched *s, coop_call *call)
{
    struct coop_SendTo *c = (struct coop_SendTo *)call;
    coop_spot to = { .kind = COOP_UDP };
    coop_value n = c->to ? coop_spot_split(c->to, &to) : -EINVAL;
    if (n == 0)
        n = s->machine->sendto(s->machine, c->fd, c->buf, c->len, &to);
    if (n != -EAGAIN)
        return n;
    coop_io_spent(s, c->fd, COOP_WRITE);
    return COOP_WAIT;
}

static coop_value handle(coop_sched *s, coop_call *call)
{
    const struct coop_SendTo *c = (const struct coop_SendTo *)call;
    if (c->fd < 0)
        return -EBADF;
    if (!c->buf && c->len)
        return -EFAULT;
    coop_value n = ready(s, call);
    return n != COOP_WAIT ? n : coop_io_wait(s, call, c->fd, COOP_WRITE);
}

static bool undo(coop_sched *s, coop_call *call)
{
    coop_io_undo(s, call, ((struct coop_SendTo *)call)->fd, COOP_WRITE);
    return true;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_SendTo *c = (const struct coop_SendTo *)call;
    (void)result;
    coop_print(text, "%d, ", c->fd);
    coop_print_bytes(text, c->buf, c->len);
    coop_print(text, ", %zu, to %s", c->len, c->to ? c->to : "NULL");
}

const coop_call_type coop_SendTo_type = {
    .name = "SendTo", .outside = true, .handle = handle, .ready = ready, .undo = undo,
    .describe = describe
};
