/* GetTid - the caller's tid. */
#include "kernel/kernel.h"

static coop_value handle(coop_sched *s, coop_call *call)
{
    (void)s;
    return call->task->tid;
}

const coop_call_type coop_GetTid_type = { .name = "GetTid", .handle = handle };
