/* ChanDone - one of the items that came out of a channel is finished. */
#include "tasks/channels.h"

#include <errno.h>

static coop_value handle(coop_sched *s, coop_call *call)
{
    coop_chan *ch = ((struct coop_ChanDone *)call)->chan;
    if (!ch)
        return -ENOMEM;
    if (ch->open == ch->used)
        return -EINVAL;
    coop_channel_done(s, ch);
    return 0;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    (void)result;
    coop_channel_describe_open(((const struct coop_ChanDone *)call)->chan, text);
}

static void touches(const coop_call *call, coop_touch *touch)
{
    coop_channel_touches(((const struct coop_ChanDone *)call)->chan, touch);
}

const coop_call_type coop_ChanDone_type = {
    .name = "ChanDone", .handle = handle, .describe = describe, .touches = touches
};
