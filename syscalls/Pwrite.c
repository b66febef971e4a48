/* Pwrite - write at a place in a file, on a helper thread. */
#include "tasks/workers.h"

#include <errno.h>
#include <inttypes.h>

static coop_value run(coop_machine *m, coop_call *call)
{
    const struct coop_Pwrite *c = (const struct coop_Pwrite *)call;
    return m->pwrite(m, c->fd, c->buf, c->len, c->at);
}

static coop_value handle(coop_sched *s, coop_call *call)
{
    const struct coop_Pwrite *c = (const struct coop_Pwrite *)call;
    if (!c->buf && c->len)
        return -EFAULT;
    if (c->at < 0 || c->len > INTPTR_MAX)
        return -EINVAL;
    return coop_job_start(s, call, run);
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_Pwrite *c = (const struct coop_Pwrite *)call;
    (void)result;
    coop_print(text, "%d, ", c->fd);
    coop_print_bytes(text, c->buf, c->len);
    coop_print(text, ", %zu, %" PRId64, c->len, c->at);
}

const coop_call_type coop_Pwrite_type = {
    .name = "Pwrite", .outside = true, .handle = handle, .undo = coop_job_undo,
    .describe = describe
};
