/* Accept - take the next connection of a listening socket. */
#include "tasks/iopoll.h"

#include <errno.h>

static coop_value ready(coop_sched *s, coop_call *call)
{
    struct coop_Accept *c = (struct coop_Accept *)call;
    coop_machine *m = s->machine;
    bool stream = false;
    int fd = m->accept(m, c->fd, &stream);
    if (fd == -EAGAIN) {
        coop_io_spent(s, c->fd, COOP_READ);
        return COOP_WAIT;
    }
    if (fd >= 0)
        coop_io_opened(s, fd, stream);
    if (fd >= 0 && c->peer && c->peer_size
        && m->address(m, fd, true, c->peer, c->peer_size) < 0)
        c->peer[0] = '\0';
    return fd;
}

static coop_value handle(coop_sched *s, coop_call *call)
{
    int listener = ((struct coop_Accept *)call)->fd;
    coop_value fd = COOP_WAIT;
    if (listener < 0)
        return -EBADF;
    if (!coop_io_is_spent(s, listener, COOP_READ))
        fd = ready(s, call);
    return fd != COOP_WAIT ? fd : coop_io_wait(s, call, listener, COOP_READ);
}

static bool undo(coop_sched *s, coop_call *call)
{
    coop_io_undo(s, call, ((struct coop_Accept *)call)->fd, COOP_READ);
    return true;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_Accept *c = (const struct coop_Accept *)call;
    coop_print(text, "%d", c->fd);
    if (result && *result >= 0 && c->peer && c->peer_size)
        coop_print(text, ", %s", c->peer);
}

const coop_call_type coop_Accept_type = {
    .name = "Accept", .outside = true, .handle = handle, .ready = ready, .undo = undo,
    .describe = describe
};
