/* Time limits. A call has none of its own, so one task looks once a second who is past his,
   and kills his task; its coop_finally part closes the connection. */
#include "httpd.h"

static void unlink_due(struct connection *c)
{
    struct limit *limit = c->limit;

    *(c->previous ? &c->previous->next : &limit->first) = c->next;
    *(c->next ? &c->next->previous : &limit->last) = c->previous;
    c->limit = NULL;
}

/* A limit is the same for all who are under it, so the last to come is the last due. */
void limit_set(struct connection *c, struct limit *limit)
{
    uint64_t due = limit ? server.tick + (uint64_t)limit->seconds + 1 : 0;

    c->taken = 0;
    if (c->limit == limit && c->due == due)
        return;
    if (c->limit)
        unlink_due(c);
    if (!limit)
        return;
    c->limit = limit;
    c->due = due;
    c->next = NULL;
    c->previous = limit->last;
    *(limit->last ? &limit->last->next : &limit->first) = c;
    limit->last = c;
}

/* How much of what is being sent the host has taken. */
static size_t taken_by(coop_tid tid)
{
    coop_info info;

    if (coop_inspect(tid, &info) < 0 || !info.call)
        return 0;
    if (info.call->type == &coop_SendFile_type)
        return ((const struct coop_SendFile *)info.call)->sent;
    if (info.call->type == &coop_Send_type)
        return ((const struct coop_Send *)info.call)->sent;
    return 0;
}

/* An answer that goes on, if slowly, gets more time. */
static struct connection *take_late(struct limit *limit)
{
    struct connection *c;

    while ((c = limit->first) && c->due <= server.tick) {
        size_t taken = limit == &server.answer ? taken_by(c->tid) : 0;

        if (taken == c->taken) {
            c->missed = limit;
            unlink_due(c);
            return c;
        }
        limit_set(c, limit);
        c->taken = taken;
    }
    return NULL;
}

enum { FORGOTTEN = 30 };           /* seconds after which a file is closed */

coop_define(limits)
{
    static struct limit *const all[] = {
        &server.idle, &server.header, &server.answer, &server.linger
    };

    coop_begin;
    for (;;) {
        coop_trap(coop_void, Sleep, .ns = COOP_S(1));
        coop_trap(coop_void, Now, .wall = true, .at = &my->wall);
        server.tick++;
        reply_clock(my->wall);
        for (my->i = 0; my->i < 4; my->i++)
            while ((my->c = take_late(all[my->i])))
                coop_trap(coop_void, KillTask, .tid = my->c->tid);
        if (server.tick > FORGOTTEN)
            files_sweep(server.tick - FORGOTTEN);
    }
    coop_end;
}
