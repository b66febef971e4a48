/* Read - read from a descriptor of any kind. */
#include "tasks/iopoll.h"
#include "tasks/workers.h"

#include <errno.h>

static coop_value ready(coop_sched *s, coop_call *call)
{
    struct coop_Read *c = (struct coop_Read *)call;
    coop_value n = s->machine->read(s->machine, c->fd, c->buf, c->len);
    return n == -EAGAIN ? COOP_WAIT : n;
}

static coop_value run(coop_machine *m, coop_call *call)
{
    const struct coop_Read *c = (const struct coop_Read *)call;
    return m->pread(m, c->fd, c->buf, c->len, -1);
}

static coop_value handle(coop_sched *s, coop_call *call)
{
    struct coop_Read *c = (struct coop_Read *)call;
    c->job.run = NULL;
    if (!c->buf && c->len)
        return -EFAULT;
    if (c->len && coop_io_is_spent(s, c->fd, COOP_READ))
        return coop_io_wait(s, call, c->fd, COOP_READ);
    coop_value n = c->len ? ready(s, call) : COOP_WAIT;
    if (n != COOP_WAIT)
        return n;
    int way = s->machine->way(s->machine, c->fd);
    if (way < 0 || c->len == 0)
        return way < 0 ? way : 0;
    if (way == COOP_BY_HELPER)
        return coop_job_start(s, call, run);
    coop_io_spent(s, c->fd, COOP_READ);
    return coop_io_wait(s, call, c->fd, COOP_READ);
}

static bool undo(coop_sched *s, coop_call *call)
{
    const struct coop_Read *c = (const struct coop_Read *)call;
    if (c->job.run)
        return coop_job_undo(s, call);
    coop_io_undo(s, call, c->fd, COOP_READ);
    return true;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_Read *c = (const struct coop_Read *)call;
    coop_print(text, "%d, ", c->fd);
    if (result && *result >= 0) {
        coop_print_bytes(text, c->buf, (size_t)*result);
        coop_print(text, ", ");
    }
    coop_print(text, "%zu", c->len);
}

const coop_call_type coop_Read_type = {
    .name = "Read", .outside = true, .handle = handle, .ready = ready, .undo = undo,
    .describe = describe
};
