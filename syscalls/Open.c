/* Open - open a file, on a helper thread. */
#include "tasks/workers.h"

#include <errno.h>
#include <fcntl.h>

static coop_value run(coop_machine *m, coop_call *call)
{
    const struct coop_Open *c = (const struct coop_Open *)call;
    return m->open(m, c->path, c->flags, c->mode);
}

static coop_value handle(coop_sched *s, coop_call *call)
{
    return ((struct coop_Open *)call)->path ? coop_job_start(s, call, run) : -EFAULT;
}

static const struct {
    int flag;
    const char *name;
} flags[] = {
    { O_CREAT, "O_CREAT" }, { O_EXCL, "O_EXCL" }, { O_TRUNC, "O_TRUNC" },
    { O_APPEND, "O_APPEND" }, { O_NONBLOCK, "O_NONBLOCK" }, { O_NOCTTY, "O_NOCTTY" },
    { O_DIRECTORY, "O_DIRECTORY" }, { O_NOFOLLOW, "O_NOFOLLOW" },
    { O_CLOEXEC, "O_CLOEXEC" },
};

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_Open *c = (const struct coop_Open *)call;
    int access = c->flags & O_ACCMODE, rest = c->flags & ~O_ACCMODE;
    (void)result;
    coop_print_string(text, c->path);
    coop_print(text, ", %s", access == O_RDWR ? "O_RDWR" : access == O_WRONLY ? "O_WRONLY"
                             : "O_RDONLY");
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (flags[i].flag && (rest & flags[i].flag) == flags[i].flag) {
            coop_print(text, "|%s", flags[i].name);
            rest &= ~flags[i].flag;
        }
    if (rest)
        coop_print(text, "|0x%x", (unsigned)rest);
    if (c->flags & O_CREAT)
        coop_print(text, ", %#o", (unsigned)c->mode);
}

const coop_call_type coop_Open_type = {
    .name = "Open", .outside = true, .handle = handle, .undo = coop_job_undo,
    .describe = describe
};
