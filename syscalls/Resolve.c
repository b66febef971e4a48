/* Resolve - the addresses of a name, from the host's resolver, on a helper thread. */
#include "tasks/workers.h"

#include <errno.h>

static coop_value run(coop_machine *m, coop_call *call)
{
    const struct coop_Resolve *c = (const struct coop_Resolve *)call;
    return m->resolve(m, c->name, c->addresses, c->max);
}

static coop_value handle(coop_sched *s, coop_call *call)
{
    const struct coop_Resolve *c = (const struct coop_Resolve *)call;
    return c->name && c->addresses && c->max > 0 ? coop_job_start(s, call, run) : -EINVAL;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_Resolve *c = (const struct coop_Resolve *)call;
    coop_print_string(text, c->name);
    for (coop_value i = 0; result && i < *result; i++)
        coop_print(text, ", %s", c->addresses[i].text);
}

const coop_call_type coop_Resolve_type = {
    .name = "Resolve", .outside = true, .handle = handle, .undo = coop_job_undo,
    .describe = describe
};
