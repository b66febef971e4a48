/* names.c - addresses whose HOST is a name. */
#include "lib/names.h"

#include <stdlib.h>
#include <string.h>

enum { SCHEME = 6 };               /* "tcp://" */

int coop_names_new(const char *address, struct coop_names_ **names)
{
    *names = NULL;
    if (!address)
        return 0;
    if (strncmp(address, "tcp://", SCHEME) && strncmp(address, "udp://", SCHEME))
        return 0;
    const char *host = address + SCHEME, *port = strrchr(host, ':');
    size_t len = port ? (size_t)(port - host) : 0;
    if (strspn(host, "0123456789.") >= len || strcspn(host, "[]:") < len
        || len >= sizeof (*names)->host || strlen(port) > SCHEME)
        return 0;
    *names = malloc(sizeof **names);
    if (!*names)
        return -ENOMEM;
    memcpy((*names)->host, host, len);
    (*names)->host[len] = '\0';
    (*names)->address = address;
    (*names)->port = port;
    (*names)->count = 0;
    return 0;
}

coop_define(coop_names_find)
{
    coop_begin;
    struct coop_names_ *names = my->names;
    coop_trap(my->r, Resolve, .name = names->host, .addresses = names->found,
              .max = sizeof names->found / sizeof *names->found);
    if (my->r > 0)
        my->names->count = (int)my->r;
    coop_return(my->r);
    coop_end;
}

void coop_names_text(const struct coop_names_ *names, int i, char text[COOP_ADDRESS_SIZE])
{
    coop_text to = { .data = text, .size = COOP_ADDRESS_SIZE };
    coop_print(&to, "%.*s%s%s", SCHEME, names->address, names->found[i].text, names->port);
}
