/* Unlink - remove a file's name, on a helper thread. */
#include "tasks/workers.h"

#include <errno.h>

static coop_value run(coop_machine *m, coop_call *call)
{
    return m->unlink(m, ((struct coop_Unlink *)call)->path);
}

static coop_value handle(coop_sched *s, coop_call *call)
{
    return ((struct coop_Unlink *)call)->path ? coop_job_start(s, call, run) : -EFAULT;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    (void)result;
    coop_print_string(text, ((const struct coop_Unlink *)call)->path);
}

const coop_call_type coop_Unlink_type = {
    .name = "Unlink", .outside = true, .handle = handle, .undo = coop_job_undo,
    .describe = describe
};
