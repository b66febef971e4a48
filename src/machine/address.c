/* address.c - addresses in text, taken apart and put together. */
#include "config.h"

#include "machine/machine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* HOST is in brackets if it has colons. */
int coop_spot_split(const char *text, coop_spot *spot)
{
    const char *to, *port;
    if (*text == '[') {
        to = strchr(++text, ']');
        port = to && to > text && to[1] == ':' ? to + 2 : NULL;
    } else {
        to = strchr(text, ':');
        port = to ? to + 1 : NULL;
    }
    if (!port || !is_port(port) || (size_t)(to - text) >= sizeof spot->host)
        return -EINVAL;
    memcpy(spot->host, text, (size_t)(to - text));
    spot->host[to - text] = '\0';
    snprintf(spot->port, sizeof spot->port, "%u", (unsigned)strtoul(port, NULL, 10));
    return 0;
}

static int split_path(const char *path, coop_spot *spot)
{
    size_t len = strlen(path);
    if (len == 0)
        return -EINVAL;
    if (len >= sizeof spot->path)
        return -ENAMETOOLONG;
    memcpy(spot->path, path, len + 1);
    return 0;
}

int coop_spot_from(const char *address, coop_spot *spot)
{
    static const char *const schemes[] = {
        [COOP_TCP] = "tcp://", [COOP_UDP] = "udp://", [COOP_LOCAL] = "unix://"
    };
    if (!address)
        return -EINVAL;
    for (int kind = COOP_TCP; kind <= COOP_LOCAL; kind++) {
        size_t len = strlen(schemes[kind]);
        if (strncmp(address, schemes[kind], len))
            continue;
        *spot = (coop_spot){ .kind = kind };
        return kind == COOP_LOCAL ? split_path(address + len, spot)
                                  : coop_spot_split(address + len, spot);
    }
    return -EINVAL;
}
