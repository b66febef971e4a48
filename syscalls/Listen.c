/* Listen - open a socket that others can reach, from an address in text. */
#include "tasks/iopoll.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The address in full: with the port that the host chose. */
static void tell_bound(coop_sched *s, int fd, const struct coop_Listen *c)
{
    char at[128] = "";
    int scheme = (int)(strstr(c->address, "://") - c->address);
    s->machine->address(s->machine, fd, false, at, sizeof at);
    snprintf(c->bound, c->bound_size, "%.*s://%s", scheme, c->address, at);
}

static coop_value handle(coop_sched *s, coop_call *call)
{
    struct coop_Listen *c = (struct coop_Listen *)call;
    coop_spot spot;
    int r = coop_spot_from(c->address, &spot);
    if (r < 0 || c->backlog < 0)
        return r < 0 ? r : -EINVAL;
    int fd = s->machine->listen(s->machine, &spot, c->backlog, c->shared);
    if (fd >= 0)
        coop_io_opened(s, fd, spot.kind == COOP_TCP);
    if (fd >= 0 && c->bound && c->bound_size)
        tell_bound(s, fd, c);
    return fd;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_Listen *c = (const struct coop_Listen *)call;
    bool bound = result && *result >= 0 && c->bound && c->bound_size;
    coop_print(text, "%s%s", bound ? c->bound : c->address ? c->address : "NULL",
               c->shared ? ", shared" : "");
}

const coop_call_type coop_Listen_type = {
    .name = "Listen", .handle = handle, .describe = describe
};
