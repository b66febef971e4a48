/* Stat - ask about a file, on a helper thread. */
#include "tasks/workers.h"

#include <errno.h>
#include <inttypes.h>

static coop_value run(coop_machine *m, coop_call *call)
{
    const struct coop_Stat *c = (const struct coop_Stat *)call;
    return m->stat(m, c->path, c->fd, c->stat);
}

static coop_value handle(coop_sched *s, coop_call *call)
{
    return ((struct coop_Stat *)call)->stat ? coop_job_start(s, call, run) : -EFAULT;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    static const char *const kinds[] = { "regular", "folder", "pipe", "socket", "device" };
    const struct coop_Stat *c = (const struct coop_Stat *)call;
    if (c->path)
        coop_print_string(text, c->path);
    else
        coop_print(text, "%d", c->fd);
    if (result && *result == 0)
        coop_print(text, ", %s %#o %" PRId64, kinds[c->stat->kind], (unsigned)c->stat->mode,
                   c->stat->size);
}

const coop_call_type coop_Stat_type = {
    .name = "Stat", .outside = true, .handle = handle, .undo = coop_job_undo,
    .describe = describe
};
