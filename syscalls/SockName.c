/* SockName - the address of a socket, as text. */
#include "kernel/kernel.h"

#include <errno.h>

static coop_value handle(coop_sched *s, coop_call *call)
{
    struct coop_SockName *c = (struct coop_SockName *)call;
    if (!c->name || !c->size)
        return -EINVAL;
    return s->machine->address(s->machine, c->fd, c->peer, c->name, c->size);
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_SockName *c = (const struct coop_SockName *)call;
    coop_print(text, "%d%s", c->fd, c->peer ? ", peer" : "");
    if (result && *result == 0)
        coop_print(text, ", %s", c->name);
}

const coop_call_type coop_SockName_type = {
    .name = "SockName", .handle = handle, .describe = describe
};
