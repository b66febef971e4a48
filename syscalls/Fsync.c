/* Fsync - wait on a helper thread until a file is on the disk. */
#include "tasks/workers.h"

static coop_value run(coop_machine *m, coop_call *call)
{
    const struct coop_Fsync *c = (const struct coop_Fsync *)call;
    return m->fsync(m, c->fd, c->data);
}

static coop_value handle(coop_sched *s, coop_call *call)
{
    return coop_job_start(s, call, run);
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_Fsync *c = (const struct coop_Fsync *)call;
    (void)result;
    coop_print(text, c->data ? "%d, data" : "%d", c->fd);
}

const coop_call_type coop_Fsync_type = {
    .name = "Fsync", .outside = true, .handle = handle, .undo = coop_job_undo,
    .describe = describe
};
