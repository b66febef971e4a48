/* Listen - open a listening socket from an address in text. */
#include "kernel/kernel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { MOST_HOST = 64 };

static bool is_port(const char *text)
{
    long port = 0;
    if (!*text)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || (port = port * 10 + (*text - '0')) > 65535)
            return false;
    }
    return true;
}

/* tcp://HOST:PORT, HOST in brackets if it has colons. Stores HOST, gives PORT or NULL. */
static const char *split(const char *address, char *host)
{
    if (!address || strncmp(address, "tcp://", 6))
        return NULL;
    const char *from = address + 6, *to, *port;
    if (*from == '[') {
        to = strchr(++from, ']');
        port = to && to > from && to[1] == ':' ? to + 2 : NULL;
    } else {
        to = strchr(from, ':');
        port = to ? to + 1 : NULL;
    }
    if (!port || !is_port(port) || to - from >= MOST_HOST)
        return NULL;
    memcpy(host, from, (size_t)(to - from));
    host[to - from] = '\0';
    return port;
}

static coop_value handle(coop_sched *s, coop_call *call)
{
    struct coop_Listen *c = (struct coop_Listen *)call;
    char host[MOST_HOST], at[MOST_HOST + 16] = "";
    const char *port = split(c->address, host);
    if (!port || c->backlog < 0)
        return -EINVAL;
    int fd = s->machine->listen(s->machine, host, port, c->backlog);
    if (fd >= 0 && c->bound && c->bound_size) {
        s->machine->address(s->machine, fd, false, at, sizeof at);
        snprintf(c->bound, c->bound_size, "tcp://%s", at);
    }
    return fd;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_Listen *c = (const struct coop_Listen *)call;
    bool bound = result && *result >= 0 && c->bound && c->bound_size;
    coop_print(text, "%s", bound ? c->bound : c->address ? c->address : "NULL");
}

const coop_call_type coop_Listen_type = {
    .name = "Listen", .handle = handle, .describe = describe
};
