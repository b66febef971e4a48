/* ChanClose - nothing more goes into a channel; what is in it can be received. */
#include "tasks/channels.h"

#include <errno.h>

static coop_value handle(coop_sched *s, coop_call *call)
{
    coop_chan *ch = ((struct coop_ChanClose *)call)->chan;
    if (!ch)
        return -ENOMEM;
    coop_channel_close(s, ch);
    return 0;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    (void)result;
    coop_channel_describe(((const struct coop_ChanClose *)call)->chan, text);
}

static void touches(const coop_call *call, coop_touch *touch)
{
    coop_channel_touches(((const struct coop_ChanClose *)call)->chan, touch);
}

const coop_call_type coop_ChanClose_type = {
    .name = "ChanClose", .handle = handle, .describe = describe, .touches = touches
};
