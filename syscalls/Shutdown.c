/* Shutdown - end one direction of a connection, or both. */
#include "kernel/kernel.h"

#include <errno.h>

static coop_value handle(coop_sched *s, coop_call *call)
{
    const struct coop_Shutdown *c = (const struct coop_Shutdown *)call;
    if (c->how < COOP_SEND || c->how > COOP_BOTH)
        return -EINVAL;
    return s->machine->shutdown(s->machine, c->fd, c->how);
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_Shutdown *c = (const struct coop_Shutdown *)call;
    (void)result;
    coop_print(text, "%d, ", c->fd);
    if (c->how < COOP_SEND || c->how > COOP_BOTH)
        coop_print(text, "%d", c->how);
    else
        coop_print(text, "%s", c->how == COOP_SEND ? "send" : c->how == COOP_RECV ? "recv"
                                                                                 : "both");
}

const coop_call_type coop_Shutdown_type = {
    .name = "Shutdown", .handle = handle, .describe = describe
};
