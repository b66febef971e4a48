/* table.c - the task table: a hash by tid, with open addressing. Tids count up, so the
   low bits of a tid are as good a hash as any. */
#include "kernel/kernel.h"

#include <errno.h>
#include <stdlib.h>

static size_t slot_of(const coop_sched *s, coop_tid tid)
{
    size_t i = (size_t)tid & s->mask;
    while (s->slots[i] && s->slots[i]->tid != tid)
        i = (i + 1) & s->mask;
    return i;
}

coop_task *coop_find(coop_sched *s, coop_tid tid)
{
    return s->slots ? s->slots[slot_of(s, tid)] : NULL;
}

static int grow(coop_sched *s)
{
    size_t old_size = s->slots ? s->mask + 1 : 0, size = old_size ? old_size * 2 : 16;
    coop_task **old = s->slots, **slots = calloc(size, sizeof *slots);
    if (!slots)
        return -ENOMEM;
    s->slots = slots;
    s->mask = size - 1;
    for (size_t i = 0; i < old_size; i++)
        if (old[i])
            slots[slot_of(s, old[i]->tid)] = old[i];
    free(old);
    return 0;
}

int coop_table_add(coop_sched *s, coop_task *t)
{
    if (s->count >= s->mask - s->mask / 8) {
        int r = grow(s);
        if (r < 0)
            return r;
    }
    s->slots[slot_of(s, t->tid)] = t;
    s->count++;
    return 0;
}

void coop_table_remove(coop_sched *s, coop_task *t)
{
    size_t hole = slot_of(s, t->tid);
    s->count--;
    /* Move up what linear probing had pushed past the hole. */
    for (size_t i = (hole + 1) & s->mask; s->slots[i]; i = (i + 1) & s->mask) {
        size_t home = (size_t)s->slots[i]->tid & s->mask;
        if (((i - home) & s->mask) >= ((i - hole) & s->mask)) {
            s->slots[hole] = s->slots[i];
            hole = i;
        }
    }
    s->slots[hole] = NULL;
}

/* Any order, for walks over all tasks: *i begins at 0. */
coop_task *coop_each(coop_sched *s, size_t *i)
{
    while (s->slots && *i <= s->mask) {
        coop_task *t = s->slots[(*i)++];
        if (t)
            return t;
    }
    return NULL;
}
