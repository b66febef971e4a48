/* Random - random bytes. */
#include "kernel/kernel.h"

#include <errno.h>

static coop_value handle(coop_sched *s, coop_call *call)
{
    const struct coop_Random *c = (const struct coop_Random *)call;
    if (!c->buf && c->len)
        return -EFAULT;
    int r = s->machine->random(s->machine, c->buf, c->len);
    return r < 0 ? r : (coop_value)c->len;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_Random *c = (const struct coop_Random *)call;
    if (result && *result >= 0) {
        coop_print_bytes(text, c->buf, (size_t)*result);
        coop_print(text, ", ");
    }
    coop_print(text, "%zu", c->len);
}

const coop_call_type coop_Random_type = {
    .name = "Random", .handle = handle, .describe = describe
};
