/* crowd.c - a set of tasks. Numbers of tasks grow, so they are sorted as they come. */
#include "lib/crowd.h"

#include <stdlib.h>

enum { FIRST = 8 };

static void close_gaps(struct coop_crowd *c)
{
    size_t n = 0;
    for (size_t i = 0; i < c->used; i++)
        if (c->tids[i] > 0)
            c->tids[n++] = c->tids[i];
    c->used = n;
}

bool coop_crowd_room(struct coop_crowd *c)
{
    if (c->used < c->size)
        return true;
    if (c->living < c->size / 2) {
        close_gaps(c);
        return true;
    }
    size_t size = c->size ? c->size * 2 : FIRST;
    coop_tid *tids = realloc(c->tids, size * sizeof *tids);
    if (!tids)
        return false;
    c->tids = tids;
    c->size = size;
    return true;
}

void coop_crowd_add(struct coop_crowd *c, coop_tid tid)
{
    c->tids[c->used++] = tid;
    c->living++;
}

bool coop_crowd_remove(struct coop_crowd *c, coop_tid tid)
{
    size_t low = 0, high = c->used;
    while (low < high) {
        size_t at = low + (high - low) / 2;
        coop_tid there = c->tids[at] < 0 ? -c->tids[at] : c->tids[at];
        if (there == tid) {
            bool was = c->tids[at] > 0;
            c->tids[at] = -tid;
            c->living -= was;
            return was;
        }
        if (there < tid)
            low = at + 1;
        else
            high = at;
    }
    return false;
}

void coop_crowd_sweep(struct coop_crowd *c)
{
    coop_info info;
    for (size_t i = 0; i < c->used; i++)
        if (c->tids[i] > 0 && coop_inspect(c->tids[i], &info) == -ESRCH) {
            c->tids[i] = -c->tids[i];
            c->living--;
        }
}
