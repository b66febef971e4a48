/* pool.c - a scheduler's stacks.

   Idle stacks of a size are in two lists. Warm ones still have their pages: the last to come
   is the first to go, so the list is by age, and trimming takes its end. Cold ones have none;
   they are taken before a new one is made, as their guards are there already.

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
        .high = at + slab->stride - (FREE_LINES + number % colours) * LINE
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

static size_t whole_pages(const struct coop_stacks *p, size_t size)
{
    return (size + p->page - 1) & -p->page;
}

struct coop_stacks *coop_stacks_new(const struct coop_stacks_options *options)
{
    struct coop_stacks *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->options = *options;
    p->page = coop_page_size();
    p->guard = whole_pages(p, COOP_GUARD_SIZE);
    if (!p->options.size)
        p->options.size = COOP_STACK_SIZE;
    p->usual.size = whole_pages(p, p->options.size);
    return p;
}

void coop_stacks_free(struct coop_stacks *p)
{
    for (struct coop_sizes *z = &p->usual, *next; z; z = next) {
        next = z->next;
        for (struct coop_slab *slab = z->slabs, *after; slab; slab = after) {
            after = slab->next;
            free_slab(p, slab);
        }
        if (z != &p->usual)
            free(z);
    }
    free(p);
}

static __attribute__((noinline)) int sizes_of(struct coop_stacks *p, size_t size,
                                              struct coop_sizes **out)
{
    if (size > SIZE_MAX / 4)
        return -EINVAL;
    size = whole_pages(p, size);
    struct coop_sizes *z = &p->usual;
    while (z && z->size != size)
        z = z->next;
    if (!z) {
        z = calloc(1, sizeof *z);
        if (!z)
            return -ENOMEM;
        z->size = size;
        z->next = p->usual.next;
        p->usual.next = z;
    }
    *out = z;
    return 0;
}

/* There is no warm one. */
static __attribute__((noinline)) struct coop_stack *take_cold(struct coop_stacks *p,
                                                             struct coop_sizes *z)
{
    struct coop_stack *s = coop_idle_take(&z->cold);
    if (!s)
        return carve(p, z);
    s->slab->cold--;
    return s;
}

int coop_stack_take(struct coop_stacks *p, size_t size, struct coop_stack **out)
{
    struct coop_sizes *z = NULL;
    int r = sizes_of(p, size ? size : p->options.size, &z);
    if (r < 0)
        return r;
    struct coop_stack *s = coop_idle_take(&z->warm);
    if (!s && !(s = take_cold(p, z)))
        return -ENOMEM;
    *out = s;
    return 0;
}

static bool is_intact(struct coop_stacks *p, struct coop_stack *s)
{
    if (s->guard != COOP_GUARD_CANARY || is_canary(s->low - p->page, p->page))
        return true;
    fill_canary(s->low - p->page, p->page);
    return false;
}

bool coop_stack_give(struct coop_stacks *p, struct coop_stack *s, int64_t now)
{
    bool intact = is_intact(p, s);
    if (p->options.measured)
        coop_stack_clear(s);
    s->since = now;
    coop_idle_add(&s->slab->sizes->warm, s);
    return intact;
}

/* Of a slab that is all cold, when its stacks are in no list any more. */
static void drop_cold_slabs(struct coop_stacks *p, struct coop_sizes *z)
{
    struct coop_stack *all = z->cold.newest;
    z->cold = (struct coop_idle){ 0 };
    for (struct coop_stack *s = all, *older; s; s = older) {
        older = s->older;
        if (s->slab->cold < s->slab->carved)
            coop_idle_add(&z->cold, s);
    }
    for (struct coop_slab **at = &z->slabs, *slab; (slab = *at);) {
        if (slab->cold < slab->carved) {
            at = &slab->next;
            continue;
        }
        *at = slab->next;
        z->total -= slab->carved;
        free_slab(p, slab);
    }
}

/* From a list with the newest first: the others are older still. */
static struct coop_stack *cut_before(struct coop_idle *list, int64_t time)
{
    struct coop_stack **at = &list->newest, *cut;
    size_t kept = 0;
    for (; *at && (*at)->since > time; at = &(*at)->older)
        kept++;
    cut = *at;
    *at = NULL;
    list->count = kept;
    return cut;
}

size_t coop_stacks_trim(struct coop_stacks *p, int64_t now, int64_t age)
{
    size_t trimmed = 0;
    for (struct coop_sizes *z = &p->usual; z; z = z->next) {
        size_t before = trimmed;
        struct coop_stack *s = cut_before(&z->warm, now - age), *older;
        for (; s; s = older, trimmed++) {
            older = s->older;
            coop_discard(s->low, s->size);
            coop_idle_add(&z->cold, s);
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
    for (const struct coop_sizes *z = &p->usual; z; z = z->next) {
        count->warm += z->warm.count;
        count->cold += z->cold.count;
        count->used += z->total - z->warm.count - z->cold.count;
    }
}

int coop_stack_adopt(struct coop_stack *s, void *memory, size_t size)
{
    if (!memory || size < COOP_STACK_LEAST)
        return -EINVAL;
    *s = (struct coop_stack){
        .low = memory, .high = (char *)memory + size, .size = size, .guard = COOP_GUARD_NONE
    };
    return 0;
}
