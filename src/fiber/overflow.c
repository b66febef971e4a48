/* overflow.c - tells an overflow from other faults. A signal handler, in whichever thread,
   must find the stack whose guard was touched, so the slabs of all pools are known to the
   whole process, in a list that grows only at its head and is read without a lock.

   An entry is never freed, so a reader may stand at any; one that is free matches no address,
   and is used again. A reader may see an entry while another thread changes it: then it is
   not the entry that it looks for, since the slab of a stack that is running stays. */
#include "config.h"

#include "fiber/slab.h"
#include "machine/crash.h"

#include <stdatomic.h>
#include <stdlib.h>

_Static_assert(ATOMIC_POINTER_LOCK_FREE == 2 && ATOMIC_LONG_LOCK_FREE == 2,
               "what handlers use takes no lock");

struct coop_range {
    struct coop_range *next;
    atomic_flag taken;
    atomic_uintptr_t low, high;
    struct coop_slab *_Atomic slab;
};

static struct coop_range *_Atomic ranges;

static struct coop_range *free_range(void)
{
    struct coop_range *r = ranges;
    while (r && atomic_flag_test_and_set(&r->taken))
        r = r->next;
    if (r || !(r = calloc(1, sizeof *r)))
        return r;
    atomic_flag_test_and_set(&r->taken);
    atomic_init(&r->low, UINTPTR_MAX);
    r->next = ranges;
    while (!atomic_compare_exchange_weak(&ranges, &r->next, r))
        ;
    return r;
}

struct coop_range *coop_range_add(void *low, size_t size, struct coop_slab *slab)
{
    struct coop_range *r = free_range();
    if (!r)
        return NULL;
    r->slab = slab;
    r->high = (uintptr_t)low + size;
    r->low = (uintptr_t)low;
    return r;
}

void coop_range_remove(struct coop_range *r)
{
    r->low = UINTPTR_MAX;
    atomic_flag_clear(&r->taken);
}

static struct coop_slab *slab_at(uintptr_t at)
{
    for (struct coop_range *r = ranges; r; r = r->next) {
        uintptr_t low = r->low, high = r->high;
        struct coop_slab *slab = r->slab;
        if (at >= low && at < high && r->low == low)
            return slab;
    }
    return NULL;
}

static bool look(const struct coop_fault *f)
{
    uintptr_t at = (uintptr_t)f->address;
    struct coop_slab *slab = slab_at(at);
    if (!slab)
        return false;
    size_t offset = at - (uintptr_t)slab->base, number = offset / slab->stride;
    if (number >= slab->carved || offset % slab->stride >= slab->guard)
        return false;
    struct coop_overflow o = {
        .stack = &slab->stacks[number], .sp = f->sp, .pc = f->pc, .address = f->address,
        .context = f->context
    };
    if (slab->pool->options.overflow)
        slab->pool->options.overflow(slab->pool->options.arg, &o);
    return true;
}

int coop_overflow_watch(void **keep)
{
    int r = coop_alternate_stack(keep);
    if (r == 0 && (r = coop_faults_on(look)) < 0)
        coop_no_alternate_stack(*keep);
    return r;
}

void coop_overflow_unwatch(void *keep)
{
    coop_faults_off();
    coop_no_alternate_stack(keep);
}
