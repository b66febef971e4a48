/* Work - run a function that blocks on a helper thread. */
#include "tasks/workers.h"

#include <errno.h>
#include <inttypes.h>

static coop_value run(coop_machine *m, coop_call *call)
{
    const struct coop_Work *c = (const struct coop_Work *)call;
    (void)m;
    return c->run(c->arg);
}

static coop_value handle(coop_sched *s, coop_call *call)
{
    return ((struct coop_Work *)call)->run ? coop_job_start(s, call, run) : -EFAULT;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_Work *c = (const struct coop_Work *)call;
    (void)result;
    coop_print(text, c->run ? "0x%" PRIxPTR : "NULL", (uintptr_t)c->run);
    coop_print(text, c->arg ? ", %p" : ", NULL", c->arg);
}

const coop_call_type coop_Work_type = {
    .name = "Work", .outside = true, .handle = handle, .undo = coop_job_undo,
    .describe = describe
};
