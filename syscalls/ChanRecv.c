/* ChanRecv - receive an item from a channel, waiting for one. */
#include "tasks/channels.h"

static bool undo(coop_sched *s, coop_call *call)
{
    (void)s;
    return coop_list_remove(&((struct coop_ChanRecv *)call)->chan->receivers, call);
}

static bool at_once(const coop_call *call)
{
    return ((const struct coop_ChanRecv *)call)->poll;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_ChanRecv *c = (const struct coop_ChanRecv *)call;
    (void)result;
    coop_channel_describe(c->chan, text);
    if (c->poll)
        coop_print(text, ", poll");
}

static void touches(const coop_call *call, coop_touch *touch)
{
    coop_channel_touches(((const struct coop_ChanRecv *)call)->chan, touch);
}

const coop_call_type coop_ChanRecv_type = {
    .name = "ChanRecv", .handle = coop_channel_recv, .undo = undo, .at_once = at_once,
    .describe = describe, .touches = touches
};
