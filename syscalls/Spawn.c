/* Spawn - start a program as a child process. */
#include "tasks/iopoll.h"

#include <errno.h>
#include <string.h>

static coop_value handle(coop_sched *s, coop_call *call)
{
    const struct coop_Spawn *c = (struct coop_Spawn *)call;
    bool piped = c->in == COOP_PIPED || c->out == COOP_PIPED || c->err == COOP_PIPED;
    if (!c->argv || !c->argv[0] || (piped && !c->pipes))
        return -EFAULT;
    int pid = s->machine->spawn(s->machine, c);
    for (int i = 0; pid >= 0 && piped && i < 3; i++)
        if (c->pipes[i] >= 0)
            coop_io_opened(s, c->pipes[i], true);
    return pid;
}

enum { MOST_SHOWN = 8 };

static void show_strings(coop_text *text, const char *const *strings)
{
    int i;
    if (!coop_can_read(strings, sizeof *strings)) {
        coop_print(text, strings ? "%p" : "NULL", (const void *)strings);
        return;
    }
    coop_print(text, "[");
    for (i = 0; i < MOST_SHOWN && coop_can_read(&strings[i], sizeof *strings); i++) {
        if (!strings[i])
            break;
        coop_print(text, i ? ", " : "");
        coop_print_string(text, strings[i]);
    }
    coop_print(text, i == MOST_SHOWN ? ", ...]" : "]");
}

static void show_end(coop_text *text, const char *name, int what, const int *pipe)
{
    if (what == 0)
        return;
    coop_print(text, ", %s=", name);
    if (what == COOP_PIPED)
        coop_print(text, pipe ? "pipe %d" : "pipe", pipe ? *pipe : 0);
    else if (what == COOP_NOWHERE)
        coop_print(text, "/dev/null");
    else if (what == COOP_AS_OUT)
        coop_print(text, "out");
    else
        coop_print(text, "%d", what);
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_Spawn *c = (const struct coop_Spawn *)call;
    const int *pipes = result && *result > 0 ? c->pipes : NULL;
    show_strings(text, c->argv);
    if (c->env) {
        coop_print(text, ", env=");
        show_strings(text, c->env);
    }
    if (c->dir) {
        coop_print(text, ", dir=");
        coop_print_string(text, c->dir);
    }
    show_end(text, "in", c->in, pipes);
    show_end(text, "out", c->out, pipes ? pipes + 1 : NULL);
    show_end(text, "err", c->err, pipes ? pipes + 2 : NULL);
}

const coop_call_type coop_Spawn_type = {
    .name = "Spawn", .handle = handle, .describe = describe
};
