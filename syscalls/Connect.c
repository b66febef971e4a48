/* Connect - connect to an address in text. */
#include "tasks/iopoll.h"

#include <errno.h>
#include <string.h>

static void give_up(coop_sched *s, int fd)
{
    coop_io_closed(s, fd);
    s->machine->close(s->machine, fd);
}

static coop_value ready(coop_sched *s, coop_call *call)
{
    struct coop_Connect *c = (struct coop_Connect *)call;
    int r = s->machine->connected(s->machine, c->fd);
    if (r == -EAGAIN)
        return COOP_WAIT;
    if (r < 0)
        give_up(s, c->fd);
    return r < 0 ? r : c->fd;
}

static coop_value handle(coop_sched *s, coop_call *call)
{
    struct coop_Connect *c = (struct coop_Connect *)call;
    coop_spot spot;
    int r = coop_spot_from(c->address, &spot);
    if (r == 0 && spot.kind != COOP_LOCAL && !strcmp(spot.port, "0"))
        r = -EINVAL;
    if (r < 0)
        return r;
    c->fd = s->machine->connect(s->machine, &spot);
    if (c->fd < 0)
        return c->fd;
    coop_io_opened(s, c->fd, spot.kind == COOP_TCP);
    coop_value value = ready(s, call);
    if (value != COOP_WAIT)
        return value;
    value = coop_io_wait(s, call, c->fd, COOP_WRITE);
    if (value != COOP_WAIT)
        give_up(s, c->fd);
    return value;
}

static bool undo(coop_sched *s, coop_call *call)
{
    int fd = ((struct coop_Connect *)call)->fd;
    coop_io_undo(s, call, fd, COOP_WRITE);
    give_up(s, fd);
    return true;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const char *address = ((const struct coop_Connect *)call)->address;
    (void)result;
    coop_print(text, "%s", address ? address : "NULL");
}

const coop_call_type coop_Connect_type = {
    .name = "Connect", .outside = true, .handle = handle, .ready = ready, .undo = undo,
    .describe = describe
};
