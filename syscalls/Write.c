/* Write - write all of a buffer to a descriptor of any kind. */
#include "tasks/iopoll.h"
#include "tasks/workers.h"

#include <errno.h>

/* An error after some bytes went out is left to the next Write. */
static coop_value ready(coop_sched *s, coop_call *call)
{
    struct coop_Write *c = (struct coop_Write *)call;
    while (c->written < c->len) {
        const char *from = (const char *)c->buf + c->written;
        coop_value n = s->machine->write(s->machine, c->fd, from, c->len - c->written);
        if (n == -EAGAIN)
            return COOP_WAIT;
        if (n < 0)
            return c->written ? (coop_value)c->written : n;
        c->written += (size_t)n;
    }
    return (coop_value)c->written;
}

static coop_value run(coop_machine *m, coop_call *call)
{
    const struct coop_Write *c = (const struct coop_Write *)call;
    return m->pwrite(m, c->fd, c->buf, c->len, -1);
}

/* A file goes to a helper as a whole. */
static coop_value wait(coop_sched *s, coop_call *call, int way)
{
    struct coop_Write *c = (struct coop_Write *)call;
    if (way == COOP_BY_HELPER)
        return coop_job_start(s, call, run);
    coop_io_spent(s, c->fd, COOP_WRITE);
    return coop_io_wait(s, call, c->fd, COOP_WRITE);
}

static coop_value handle(coop_sched *s, coop_call *call)
{
    struct coop_Write *c = (struct coop_Write *)call;
    c->job.run = NULL;
    c->written = 0;
    if (!c->buf && c->len)
        return -EFAULT;
    if (c->len > INTPTR_MAX)
        return -EINVAL;
    if (c->len && coop_io_is_spent(s, c->fd, COOP_WRITE))
        return coop_io_wait(s, call, c->fd, COOP_WRITE);
    coop_value n = c->len ? ready(s, call) : COOP_WAIT;
    if (n != COOP_WAIT)
        return n;
    int way = s->machine->way(s->machine, c->fd);
    if (way < 0 || c->len == 0)
        return way < 0 ? way : 0;
    n = wait(s, call, way);
    return n < 0 && n != COOP_WAIT && c->written ? (coop_value)c->written : n;
}

static bool undo(coop_sched *s, coop_call *call)
{
    const struct coop_Write *c = (const struct coop_Write *)call;
    if (c->job.run)
        return coop_job_undo(s, call);
    coop_io_undo(s, call, c->fd, COOP_WRITE);
    return true;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_Write *c = (const struct coop_Write *)call;
    coop_print(text, "%d, ", c->fd);
    coop_print_bytes(text, c->buf, c->len);
    coop_print(text, ", %zu", c->len);
    if (!result && c->written)
        coop_print(text, " (%zu written)", c->written);
}

const coop_call_type coop_Write_type = {
    .name = "Write", .outside = true, .handle = handle, .ready = ready, .undo = undo,
    .describe = describe
};
