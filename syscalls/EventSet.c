/* EventSet - say that an event has come: all who wait for it go on. */
#include "kernel/kernel.h"

#include <errno.h>

static coop_value handle(coop_sched *s, coop_call *call)
{
    coop_event_flag *event = ((struct coop_EventSet *)call)->event;
    coop_call *waiting;
    if (!event)
        return -EINVAL;
    event->set = true;
    while ((waiting = coop_list_take(&event->waiting_)))
        coop_wake(s, waiting, 0);
    return 0;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const coop_event_flag *event = ((const struct coop_EventSet *)call)->event;
    (void)result;
    coop_print_object(event, event ? event->name : NULL, text);
}

static void touches(const coop_call *call, coop_touch *touch)
{
    const coop_event_flag *event = ((const struct coop_EventSet *)call)->event;
    *touch = (coop_touch){
        .object = (uintptr_t)event, .write = true, .what = "event",
        .name = event ? event->name : NULL
    };
}

const coop_call_type coop_EventSet_type = {
    .name = "EventSet", .handle = handle, .describe = describe, .touches = touches
};
