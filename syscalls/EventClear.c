/* EventClear - an event is to come again. */
#include "kernel/kernel.h"

#include <errno.h>

static coop_value handle(coop_sched *s, coop_call *call)
{
    coop_event_flag *event = ((struct coop_EventClear *)call)->event;
    (void)s;
    if (!event)
        return -EINVAL;
    event->set = false;
    return 0;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const coop_event_flag *event = ((const struct coop_EventClear *)call)->event;
    (void)result;
    coop_print_object(event, event ? event->name : NULL, text);
}

static void touches(const coop_call *call, coop_touch *touch)
{
    const coop_event_flag *event = ((const struct coop_EventClear *)call)->event;
    *touch = (coop_touch){
        .object = (uintptr_t)event, .write = true, .what = "event",
        .name = event ? event->name : NULL
    };
}

const coop_call_type coop_EventClear_type = {
    .name = "EventClear", .handle = handle, .describe = describe, .touches = touches
};
