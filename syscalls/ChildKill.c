/* ChildKill - send a signal to a child process. */
#include "tasks/signals.h"

#include <errno.h>

static coop_value handle(coop_sched *s, coop_call *call)
{
    const struct coop_ChildKill *c = (struct coop_ChildKill *)call;
    if (c->pid <= 0 || c->signal <= 0)
        return -EINVAL;
    return s->machine->kill(s->machine, c->pid, c->signal);
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_ChildKill *c = (const struct coop_ChildKill *)call;
    (void)result;
    coop_print(text, "%d, ", c->pid);
    coop_print_signal(text, c->signal, true);
}

const coop_call_type coop_ChildKill_type = {
    .name = "ChildKill", .handle = handle, .describe = describe
};
