#include "server.h"
#include <stdint.h>

int64_t idle_limit;

/* One who asks for nothing for too long, and for whom nothing is being done. Or NULL, with
   the time at which there may be one in *next. */
static struct client *first_idle(int64_t now, int64_t *next)
{
    *next = now + idle_limit;
    for (struct client *client = server.clients; client; client = client->next) {
        if (client->busy || client->told)
            continue;
        if (client->heard + idle_limit <= now)
            return client;
        if (client->heard + idle_limit < *next)
            *next = client->heard + idle_limit;
    }
    return NULL;
}

static void tell(struct client *client)
{
    char why[64];
    coop_text text = { .data = why, .size = sizeof why };

    coop_print(&text, "was idle for ");
    coop_print_span(&text, idle_limit);
    client_leaves(client, why);
    client->told = true;
    client->farewell = "you ask for nothing; good bye";
}

/* One task for all: it sleeps until the first of them may have been idle for too long. */
coop_routine(watch_idle, int64_t now, next; struct client *client;)
{
    coop_begin;
    for (;;) {
        coop_trap(coop_void, Now, .at = &my->now);
        while ((my->client = first_idle(my->now, &my->next))) {
            tell(my->client);
            coop_trap(coop_void, KillTask, .tid = my->client->reader);
        }
        coop_trap(coop_void, Sleep, .ns = my->next - my->now);
    }
    coop_end;
}

coop_tid idle_watch(void)
{
    return coop_spawn(watch_idle);
}
