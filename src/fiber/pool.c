/* pool.c - a scheduler's stacks.

   Idle stacks of a size are in two lists. Warm ones still have their pages: the last to come
   is the first to go, and trimming begins with the oldest. Cold ones have none; they are
   taken before a new one is made, as their guards are there already.

   Where a stack is begun to be used differs from one to the next, by up to 1 KiB; less if it
   is small. They are pages apart, so that otherwise what is used most of each, its upper end,
   falls on the same few places of the caches. Some bytes are left free by all: what stands in
   the last lines of a page before one that is not there is slower to get at on some
   processors (AMD Zen 5: 2 ns a switch).

   What trimming does: madvise(MADV_DONTNEED) for one stack, since its neighbours may be in
   use, and since only that keeps the guard; munmap for a slab when all of its stacks are
   cold, which gives back page tables and address space too. */
#include "config.h"

#include "fiber/slab.h"
#include "machine/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FEWEST = 16, MOST = 4096 };     /* stacks in a slab */
enum { LINE = 64, FREE_LINES = 2, COLOURS = 16, LEAST_PAGE = 4096 };

struct idle {
    struct coop_stack *newest, *oldest;
    size_t count;
};

/* All of one size. A slab has as many as there are already, so that few are needed. */
struct coop_sizes {
    struct coop_sizes *next;
    size_t size, total;
    struct idle warm, cold;
    struct coop_slab *slabs;       /* only the first may have room */
};

static void put_in(struct idle *list, struct coop_stack *s)
{
    s->newer = NULL;
    s->older = list->newest;
    if (s->older)
        s->older->newer = s;
    else
        list->oldest = s;
    list->newest = s;
    list->count++;
}

static void take_out(struct idle *list, struct coop_stack *s)
{
    if (s->newer)
        s->newer->older = s->older;
    else
        list->newest = s->older;
    if (s->older)
        s->older->newer = s->newer;
    else
        list->oldest = s->newer;
    list->count--;
}

/* ---- Guards ---- */

static void fill_canary(char *at, size_t size)
{
    uint64_t *word = (uint64_t *)(void *)at;
    for (size_t i = 0; i < size / sizeof *word; i++)
        word[i] = COOP_CANARY;
}

static bool is_canary(const char *at, size_t size)
{
    const uint64_t *word = (const uint64_t *)(const void *)at;
    for (size_t i = 0; i < size / sizeof *word; i++)
        if (word[i] != COOP_CANARY)
            return false;
    return true;
}

static size_t *guards(struct coop_stacks *p, unsigned char guard)
{
    return guard == COOP_GUARD_MARK ? &p->count.marks
        : guard == COOP_GUARD_WALL ? &p->count.walls : &p->count.canaries;
}

static enum coop_guard raise_guard(struct coop_stacks *p, char *at)
{
    if (p->options.best <= COOP_GUARD_MARK && coop_mark(at, p->guard) == 0)
        return COOP_GUARD_MARK;
    if (p->options.best <= COOP_GUARD_WALL && p->count.walls < COOP_MOST_WALLS
        && coop_wall(at, p->guard) == 0)
        return COOP_GUARD_WALL;
    fill_canary(at + p->guard - p->page, p->page);
    if (!p->said && p->options.report)
        p->options.report(p->options.arg,
                          "no more guard pages: overflows of new stacks are only noticed late");
    p->said = true;
    return COOP_GUARD_CANARY;
}

/* ---- Slabs ---- */

static struct coop_slab *new_slab(struct coop_stacks *p, struct coop_sizes *z, size_t count)
{
    size_t stride = z->size + p->guard;
    struct coop_slab *slab = malloc(sizeof *slab + count * sizeof *slab->stacks);
    if (!slab)
        return NULL;
    *slab = (struct coop_slab){
        .pool = p, .sizes = z, .count = count, .stride = stride, .guard = p->guard
    };
    slab->base = coop_map(count * stride);
    if (slab->base)
        slab->range = coop_range_add(slab->base, count * stride, slab);
    if (!slab->range) {
        if (slab->base)
            coop_unmap(slab->base, count * stride);
        free(slab);
        return NULL;
    }
    slab->next = z->slabs;
    z->slabs = slab;
    p->count.slabs++;
    p->count.bytes += count * stride;
    return slab;
}

/* Large stacks come fewer at a time; when there is no room for many there may be for one. */
static struct coop_slab *more_room(struct coop_stacks *p, struct coop_sizes *z)
{
    size_t count = z->total < FEWEST ? FEWEST : z->total > MOST ? MOST : z->total;
    while (count > 1 && count > (size_t)MOST * COOP_STACK_SIZE / z->size)
        count /= 2;
    struct coop_slab *slab = new_slab(p, z, count);
    return slab || count == 1 ? slab : new_slab(p, z, 1);
}

static struct coop_stack *carve(struct coop_stacks *p, struct coop_sizes *z)
{
    struct coop_slab *slab = z->slabs;
    if ((!slab || slab->carved == slab->count) && !(slab = more_room(p, z)))
        return NULL;
    size_t number = slab->carved++, most = z->size / LEAST_PAGE;
    size_t colours = most < COLOURS ? most : COLOURS;
    char *at = slab->base + number * slab->stride;
    struct coop_stack *s = &slab->stacks[number];
    coop_tell_empty(at, slab->stride);
    *s = (struct coop_stack){
        .low = at + p->guard, .size = z->size, .slab = slab, .guard = raise_guard(p, at),
        .skip = (uint16_t)((FREE_LINES + number % colours) * LINE)
    };
    ++*guards(p, s->guard);
    z->total++;
    return s;
}

/* None of its stacks is in use; idle ones are in no list any more. */
static void free_slab(struct coop_stacks *p, struct coop_slab *slab)
{
    for (size_t i = 0; i < slab->carved; i++)
        --*guards(p, slab->stacks[i].guard);
    p->count.slabs--;
    p->count.bytes -= slab->count * slab->stride;
    coop_range_remove(slab->range);
    coop_unmap(slab->base, slab->count * slab->stride);
    free(slab);
}

/* ---- The pool ---- */

struct coop_stacks *coop_stacks_new(const struct coop_stacks_options *options)
{
    struct coop_stacks *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->options = *options;
    p->page = coop_page_size();
    p->guard = (COOP_GUARD_SIZE + p->page - 1) & -p->page;
    if (!p->options.size)
        p->options.size = COOP_STACK_SIZE;
    return p;
}

void coop_stacks_free(struct coop_stacks *p)
{
    for (struct coop_sizes *z = p->sizes, *next; z; z = next) {
        next = z->next;
        for (struct coop_slab *slab = z->slabs, *after; slab; slab = after) {
            after = slab->next;
            free_slab(p, slab);
        }
        free(z);
    }
    free(p);
}

static __attribute__((noinline)) int sizes_of(struct coop_stacks *p, size_t size,
                                              struct coop_sizes **out)
{
    if (size > SIZE_MAX / 4)
        return -EINVAL;
    size = (size + p->page - 1) & -p->page;
    struct coop_sizes *z = p->sizes;
    while (z && z->size != size)
        z = z->next;
    if (!z) {
        z = calloc(1, sizeof *z);
        if (!z)
            return -ENOMEM;
        z->size = size;
        z->next = p->sizes;
        p->sizes = z;
    }
    *out = z;
    return 0;
}

/* There is no warm one. */
static __attribute__((noinline)) struct coop_stack *take_cold(struct coop_stacks *p,
                                                             struct coop_sizes *z)
{
    struct coop_stack *s = z->cold.newest;
    if (!s)
        return carve(p, z);
    take_out(&z->cold, s);
    s->slab->cold--;
    return s;
}

int coop_stack_take(struct coop_stacks *p, size_t size, struct coop_stack **out)
{
    struct coop_sizes *z = p->sizes;
    if (!size)
        size = p->options.size;
    if (!z || z->size != size) {
        int r = sizes_of(p, size, &z);
        if (r < 0)
            return r;
    }
    struct coop_stack *s = z->warm.newest;
    if (s)
        take_out(&z->warm, s);
    else if (!(s = take_cold(p, z)))
        return -ENOMEM;
    s->owner = NULL;
    *out = s;
    return 0;
}

bool coop_stack_give(struct coop_stacks *p, struct coop_stack *s, int64_t now)
{
    struct coop_sizes *z = s->slab->sizes;
    bool intact = s->guard != COOP_GUARD_CANARY || is_canary(s->low - p->page, p->page);
    if (!intact)
        fill_canary(s->low - p->page, p->page);
    if (p->options.measured)
        coop_stack_clear(s);
    s->since = now;
    put_in(&z->warm, s);
    return intact;
}

static void drop_cold_slabs(struct coop_stacks *p, struct coop_sizes *z)
{
    for (struct coop_slab **at = &z->slabs, *slab; (slab = *at);) {
        if (slab->cold < slab->carved) {
            at = &slab->next;
            continue;
        }
        *at = slab->next;
        for (size_t i = 0; i < slab->carved; i++)
            take_out(&z->cold, &slab->stacks[i]);
        z->total -= slab->carved;
        free_slab(p, slab);
    }
}

size_t coop_stacks_trim(struct coop_stacks *p, int64_t now, int64_t age)
{
    size_t trimmed = 0;
    for (struct coop_sizes *z = p->sizes; z; z = z->next) {
        struct coop_stack *s;
        size_t before = trimmed;
        for (; (s = z->warm.oldest) && now - s->since >= age; trimmed++) {
            take_out(&z->warm, s);
            coop_discard(s->low, s->size);
            put_in(&z->cold, s);
            s->slab->cold++;
        }
        if (trimmed > before)
            drop_cold_slabs(p, z);
    }
    return trimmed;
}

void coop_stacks_counted(const struct coop_stacks *p, struct coop_stacks_count *count)
{
    *count = p->count;
    for (const struct coop_sizes *z = p->sizes; z; z = z->next) {
        count->warm += z->warm.count;
        count->cold += z->cold.count;
        count->used += z->total - z->warm.count - z->cold.count;
    }
}

int coop_stack_adopt(struct coop_stack *s, void *memory, size_t size)
{
    if (!memory || size < COOP_STACK_LEAST)
        return -EINVAL;
    *s = (struct coop_stack){ .low = memory, .size = size, .guard = COOP_GUARD_NONE };
    return 0;
}
