/* Pread - read at a place in a file, on a helper thread unless it is in memory. */
#include "tasks/workers.h"

#include <errno.h>
#include <inttypes.h>

static coop_value run(coop_machine *m, coop_call *call)
{
    const struct coop_Pread *c = (const struct coop_Pread *)call;
    return m->pread(m, c->fd, c->buf, c->len, c->at);
}

static coop_value handle(coop_sched *s, coop_call *call)
{
    const struct coop_Pread *c = (const struct coop_Pread *)call;
    if (!c->buf && c->len)
        return -EFAULT;
    if (c->at < 0)
        return -EINVAL;
    coop_machine *m = s->machine;
    coop_value n = m->pread_now ? m->pread_now(m, c->fd, c->buf, c->len, c->at) : -EAGAIN;
    return n == -EAGAIN ? coop_job_start(s, call, run) : n;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_Pread *c = (const struct coop_Pread *)call;
    coop_print(text, "%d, ", c->fd);
    if (result && *result >= 0) {
        coop_print_bytes(text, c->buf, (size_t)*result);
        coop_print(text, ", ");
    }
    coop_print(text, "%zu, %" PRId64, c->len, c->at);
}

const coop_call_type coop_Pread_type = {
    .name = "Pread", .outside = true, .handle = handle, .undo = coop_job_undo,
    .describe = describe
};
