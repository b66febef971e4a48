/* fiber.h - stacks for fibers: where they come from, what stands below them, and what
   happens when one is too small. switch.h is how one gets onto them. */
#ifndef COOP_FIBER_H
#define COOP_FIBER_H

#include "fiber/switch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { COOP_STACK_SIZE = 64 * 1024, COOP_STACK_LEAST = 4096 };

/* What stands below a stack, from best to worst. It has 64 KiB and a page, so that usual stacks
   are an odd number of pages apart and do not all fall on the same places of the caches.
   MARK    pages that the host knows as ones not to be touched; a fault tells of an overflow
           at once. Costs no mapping. Linux 6.13.
   WALL    pages without rights: the same, but each costs two mappings, of which Linux allows
           65530. A pool makes at most COOP_MOST_WALLS and leaves the rest to the program.
   CANARY  a page with a pattern: an overflow has already happened when it is noticed, at the
           next coop_stack_intact or coop_stack_give. A page more for each stack, as it is
           touched. The pool reports when it makes the first one.
   NONE    nothing: the caller's own memory.
   A frame that is larger than a guard and touches its far end first jumps over any of them;
   gcc and clang have -fstack-clash-protection against that. */
enum coop_guard { COOP_GUARD_MARK, COOP_GUARD_WALL, COOP_GUARD_CANARY, COOP_GUARD_NONE };
enum { COOP_GUARD_SIZE = 68 * 1024, COOP_MOST_WALLS = 16384 };

struct coop_stack {
    char *low;                     /* the lowest byte that may be used; the guard is below */
    char *high;                    /* its end, but for what is better left alone: pool.c */
    size_t size;
    void *owner;                   /* the user's */
    struct coop_slab *slab;        /* NULL: the caller's own memory */
    struct coop_stack *older;      /* idle: in its list */
    int64_t since;                 /* idle: when it was given back */
    unsigned char guard;           /* an enum coop_guard */
};

struct coop_overflow {
    struct coop_stack *stack;      /* whose guard it is. A wild pointer may lead there too: */
    void *sp;                      /* ask whether this is on it, or who is running */
    void *pc, *address;            /* which instruction touched what */
    void *context;                 /* a ucontext_t */
};

/* Zeros are defaults. */
struct coop_stacks_options {
    size_t size;                   /* of a stack: COOP_STACK_SIZE */
    enum coop_guard best;          /* nothing better is tried */
    bool measured;                 /* each stack begins as zeros, so that its peak is its own:
                                      at each coop_stack_give a call of the host, and the
                                      pages that were touched are cleared */
    void (*report)(void *arg, const char *text);
    /* In a signal handler, on the thread's alternate stack; then the process ends. Only
       asked when coop_overflow_watch was. */
    void (*overflow)(void *arg, const struct coop_overflow *);
    void *arg;
};

struct coop_stacks_count {
    size_t used, warm, cold;       /* in use; idle with their pages; idle without them */
    size_t slabs, bytes;           /* mappings made, and how large they are in all */
    size_t marks, walls, canaries; /* of all stacks, idle ones too */
};

#pragma GCC visibility push(hidden)

/* pool.c. One thread's. NULL: no memory. Free it when no stack is in use. */
struct coop_stacks *coop_stacks_new(const struct coop_stacks_options *);
void coop_stacks_free(struct coop_stacks *);

/* A stack of at least size bytes, rounded up to pages (0: the pool's): the one that was given
   back last, as its pages are likely to be in the caches. -ENOMEM, -EINVAL. */
int coop_stack_take(struct coop_stacks *, size_t size, struct coop_stack **);

/* now is any clock's, not going back. False: its canary was overwritten. */
bool coop_stack_give(struct coop_stacks *, struct coop_stack *, int64_t now);

/* Of stacks idle since before now - age the pages are returned to the host, which keeps the
   address space and the guards, so that the next use costs page faults only. Of a slab with
   no other stacks all is. Returns how many stacks lost their pages. */
size_t coop_stacks_trim(struct coop_stacks *, int64_t now, int64_t age);

void coop_stacks_counted(const struct coop_stacks *, struct coop_stacks_count *);

/* Memory of the caller's own: nobody guards it. -EINVAL: less than COOP_STACK_LEAST. */
int coop_stack_adopt(struct coop_stack *, void *memory, size_t size);

/* peak.c. How many bytes from its upper end on were ever written to with anything but zero,
   by all who had it since its pages were new (measured: since it was taken). One call of the
   host, and a look at one page mostly; pages that were swapped out do not count. */
size_t coop_stack_peak(const struct coop_stack *);
void coop_stack_clear(struct coop_stack *);        /* what was touched is zeros again */

/* overflow.c. From now on an overflow of a stack of any pool is told to the pool, before the
   process ends as it would have. Once for each thread with fibers, and off in the same thread:
   what to keep until then is stored. Other faults go to whoever had the signal before. */
int coop_overflow_watch(void **keep);
void coop_overflow_unwatch(void *keep);

/* unwind.c. Where a context that is not running stands, and the return addresses of who called
   that, innermost first; returns how many. By the tables that compilers write for exceptions
   (-fno-asynchronous-unwind-tables has none, and ends it), from the stack alone: may be called
   from signal handlers, for a context whose thread is not at it just now. */
size_t coop_stack_trace(const struct coop_stack *, const struct coop_context *, void **pcs,
                        size_t most);
size_t coop_overflow_trace(const struct coop_overflow *, void **pcs, size_t most);

/* overflow.c: what a signal handler knows of slabs. */
struct coop_range;
struct coop_range *coop_range_add(void *low, size_t size, struct coop_slab *);    /* or NULL */
void coop_range_remove(struct coop_range *);

#pragma GCC visibility pop

enum { COOP_CANARY_WORDS = 8 };
#define COOP_CANARY UINT64_C(0x5afe57ac6c0a7e11)

/* Cheap enough for each switch out: the words next to the stack, which most overflows come
   through; coop_stack_give looks at the whole page. */
static inline bool coop_stack_intact(const struct coop_stack *s)
{
    const uint64_t *word = (const uint64_t *)(void *)s->low;
    uint64_t wrong = 0;
    if (__builtin_expect(s->guard != COOP_GUARD_CANARY, 1))
        return true;
    for (int i = 1; i <= COOP_CANARY_WORDS; i++)
        wrong |= word[-i] ^ COOP_CANARY;
    return wrong == 0;
}

#endif
