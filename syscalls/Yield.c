/* Yield - nothing but the end of a slice. */
#include "kernel/kernel.h"

static coop_value handle(coop_sched *s, coop_call *call)
{
    (void)call;
    coop_end_slice(s);
    return 0;
}

const coop_call_type coop_Yield_type = { .name = "Yield", .handle = handle };
