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

struct coop_stacks {
    struct coop_stacks_options options;
    struct coop_sizes *sizes;
    size_t page, guard;
    struct coop_stacks_count count;    /* but how many there are: each size knows its own */
    bool said;                     /* that there are canaries */
};

#endif
