/* ChanJoin - wait until all that was sent into a channel is finished. */
#include "tasks/channels.h"

#include <errno.h>

static coop_value handle(coop_sched *s, coop_call *call)
{
    coop_chan *ch = ((struct coop_ChanJoin *)call)->chan;
    (void)s;
    if (!ch)
        return -ENOMEM;
    if (!ch->open)
        return 0;
    coop_list_add(&ch->joiners, call);
    return COOP_WAIT;
}

static bool undo(coop_sched *s, coop_call *call)
{
    (void)s;
    return coop_list_remove(&((struct coop_ChanJoin *)call)->chan->joiners, call);
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    (void)result;
    coop_channel_describe_open(((const struct coop_ChanJoin *)call)->chan, text);
}

static void touches(const coop_call *call, coop_touch *touch)
{
    coop_channel_touches(((const struct coop_ChanJoin *)call)->chan, touch);
    touch->write = false;
}

const coop_call_type coop_ChanJoin_type = {
    .name = "ChanJoin", .handle = handle, .undo = undo, .describe = describe,
    .touches = touches
};
