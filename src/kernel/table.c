/* table.c - the task table: a hash by tid, its chains linked through the tasks. Tids count
   up, so their low bits are as good a hash as any, and tasks made one after the other
   share cache lines. The high bits are added for survivors at regular distances. */
#include "kernel/kernel.h"

#include <errno.h>
#include <stdlib.h>

enum { LEAST_BITS = 6 };

static void link_in(coop_sched *s, coop_task *t)
{
    coop_task **slot = coop_slot_of(s, t->tid);
    t->chain = *slot;
    *slot = t;
}

static __attribute__((noinline)) int grow(coop_sched *s)
{
    size_t old_size = s->limit;
    unsigned bits = s->slots ? s->bits + 1 : LEAST_BITS;
    coop_task **old = s->slots, **slots = calloc((size_t)1 << bits, sizeof *slots);
    if (!slots)
        return -ENOMEM;
    s->slots = slots;
    s->bits = bits;
    s->limit = (size_t)1 << bits;
    for (size_t i = 0; i < old_size; i++)
        for (coop_task *t = old[i], *next; t; t = next) {
            next = t->chain;
            link_in(s, t);
        }
    free(old);
    return 0;
}

int coop_table_add(coop_sched *s, coop_task *t)
{
    if (COOP_RARE(s->count >= s->limit)) {
        int r = grow(s);
        return r < 0 ? r : coop_table_add(s, t);
    }
    link_in(s, t);
    s->count++;
    return 0;
}

void coop_table_remove(coop_sched *s, coop_task *t)
{
    coop_task **at = coop_slot_of(s, t->tid);
    while (*at != t)
        at = &(*at)->chain;
    *at = t->chain;
    s->count--;
}

/* Walks over all tasks in any order: the one after t, the first for NULL. */
coop_task *coop_each(coop_sched *s, coop_task *t)
{
    if (!s->slots)
        return NULL;
    coop_task **slot = t ? coop_slot_of(s, t->tid) + 1 : s->slots;
    t = t ? t->chain : NULL;
    while (!t && slot < s->slots + s->limit)
        t = *slot++;
    return t;
}
