/* Now - the time. */
#include "kernel/kernel.h"

static coop_value handle(coop_sched *s, coop_call *call)
{
    const struct coop_Now *c = (const struct coop_Now *)call;
    int64_t now = c->wall ? s->machine->wall(s->machine) : coop_clock(s);
    if (c->at)
        *c->at = now;
    return sizeof(coop_value) < sizeof now ? 0 : (coop_value)now;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    (void)result;
    if (((const struct coop_Now *)call)->wall)
        coop_print(text, "wall");
}

const coop_call_type coop_Now_type = {
    .name = "Now", .handle = handle, .describe = describe
};
