/* slab.h - many stacks of one size in one mapping, so that mappings stay few:

     guard | stack 0 | guard | stack 1 | ...

   Their descriptions are apart from them, where no overflow reaches them. */
#ifndef COOP_SLAB_H
#define COOP_SLAB_H

#include "fiber/fiber.h"

struct coop_slab {
    struct coop_slab *next;        /* of the same size */
    struct coop_stacks *pool;
    struct coop_sizes *sizes;
    struct coop_range *range;
    char *base;
    size_t stride, guard;          /* bytes */
    size_t count, carved;          /* stacks that there is room for; that have been made */
    size_t cold;                   /* of those, idle ones without pages */
    struct coop_stack stacks[];
};

struct coop_idle {
    struct coop_stack *newest;
    size_t count;
};

/* All of one size. A slab has as many as there are already, so that few are needed. */
struct coop_sizes {
    struct coop_sizes *next;
    size_t size, total;
    struct coop_idle warm, cold;
    struct coop_slab *slabs;       /* only the first may have room */
};

struct coop_stacks {
    struct coop_stacks_options options;
    struct coop_sizes usual;       /* begins the list of all sizes */
    size_t page, guard;
    struct coop_stacks_count count;    /* but how many there are: each size knows its own */
    bool said;                     /* that there are canaries */
};

static inline void coop_idle_add(struct coop_idle *list, struct coop_stack *s)
{
    s->older = list->newest;
    list->newest = s;
    list->count++;
}

/* The newest; NULL: there is none. */
static inline struct coop_stack *coop_idle_take(struct coop_idle *list)
{
    struct coop_stack *s = list->newest;
    if (s) {
        list->newest = s->older;
        list->count--;
    }
    return s;
}

/* coop_stack_take and coop_stack_give, where it counts: mostly nothing is left to do. */
static inline struct coop_stack *coop_stack_warm(struct coop_stacks *p, size_t size)
{
    return size == p->options.size ? coop_idle_take(&p->usual.warm) : NULL;
}

static inline bool coop_stack_back(struct coop_stacks *p, struct coop_stack *s, int64_t now)
{
    if (__builtin_expect(s->size != p->usual.size || s->guard == COOP_GUARD_CANARY
                         || p->options.measured, 0))
        return coop_stack_give(p, s, now);
    s->since = now;
    coop_idle_add(&p->usual.warm, s);
    return true;
}

#endif
