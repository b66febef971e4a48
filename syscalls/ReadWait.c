/* ReadWait - wait until a descriptor can be read. */
#include "tasks/iopoll.h"

static coop_value handle(coop_sched *s, coop_call *call)
{
    return coop_io_wait(s, call, ((struct coop_ReadWait *)call)->fd, COOP_READ);
}

static coop_value ready(coop_sched *s, coop_call *call)
{
    (void)s;
    (void)call;
    return 0;
}

static bool undo(coop_sched *s, coop_call *call)
{
    coop_io_undo(s, call, ((struct coop_ReadWait *)call)->fd, COOP_READ);
    return true;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    (void)result;
    coop_print(text, "%d", ((const struct coop_ReadWait *)call)->fd);
}

const coop_call_type coop_ReadWait_type = {
    .name = "ReadWait", .outside = true, .handle = handle, .ready = ready, .undo = undo,
    .describe = describe
};
