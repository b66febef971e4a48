/* Close - close a descriptor; those who wait on it are told. */
#include "tasks/iopoll.h"

#include <errno.h>

static coop_value handle(coop_sched *s, coop_call *call)
{
    int fd = ((struct coop_Close *)call)->fd;
    if (fd < 0)
        return -EBADF;
    coop_io_closed(s, fd);
    return s->machine->close(s->machine, fd);
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    (void)result;
    coop_print(text, "%d", ((const struct coop_Close *)call)->fd);
}

const coop_call_type coop_Close_type = {
    .name = "Close", .handle = handle, .describe = describe
};
