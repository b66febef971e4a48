/* ChanSend - send an item into a channel, waiting for a receiver or a slot. */
#include "tasks/channels.h"

static bool undo(coop_sched *s, coop_call *call)
{
    (void)s;
    return coop_list_remove(&((struct coop_ChanSend *)call)->chan->senders, call);
}

static bool at_once(const coop_call *call)
{
    const struct coop_ChanSend *c = (const struct coop_ChanSend *)call;
    return c->poll || c->all;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_ChanSend *c = (const struct coop_ChanSend *)call;
    (void)result;
    coop_channel_describe(c->chan, text);
    if (c->all || c->poll)
        coop_print(text, ", %s", c->all ? "all" : "poll");
}

static void touches(const coop_call *call, coop_touch *touch)
{
    coop_channel_touches(((const struct coop_ChanSend *)call)->chan, touch);
}

const coop_call_type coop_ChanSend_type = {
    .name = "ChanSend", .handle = coop_channel_send, .undo = undo, .at_once = at_once,
    .describe = describe, .touches = touches
};
