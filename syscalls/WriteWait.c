/* WriteWait - wait until a descriptor can be written. */
#include "tasks/iopoll.h"

static coop_value handle(coop_sched *s, coop_call *call)
{
    return coop_io_wait(s, call, ((struct coop_WriteWait *)call)->fd, COOP_WRITE);
}

static coop_value ready(coop_sched *s, coop_call *call)
{
    (void)s;
    (void)call;
    return 0;
}

static bool undo(coop_sched *s, coop_call *call)
{
    coop_io_undo(s, call, ((struct coop_WriteWait *)call)->fd, COOP_WRITE);
    return true;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    (void)result;
    coop_print(text, "%d", ((const struct coop_WriteWait *)call)->fd);
}

const coop_call_type coop_WriteWait_type = {
    .name = "WriteWait", .outside = true, .handle = handle, .ready = ready, .undo = undo,
    .describe = describe
};
