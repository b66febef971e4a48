/* reach.c - which objects the tasks of a set alone can reach. An object that nobody else can
   reach will not be touched by anybody else. What can be reached is found out by looking at
   memory: an address that stands anywhere may be used, unless it stands in the call stack of a
   task of the set, in memory of the kernel's that nobody looks at, or here. So this can miss
   that an object cannot be reached, and never says so wrongly; but for an address that is
   nowhere but in the registers of another thread. */
#include "kernel/reach.h"

#include <errno.h>
#include <stdlib.h>

enum { NOBODY = -1 };              /* owner of memory that does not count */

struct range { uintptr_t from, to; int owner; };
struct reference { int object, owner; };

struct coop_reach {
    uintptr_t *objects;            /* inverted, so that they are not found here; sorted */
    bool *everywhere;
    int count;
    struct range *ranges;          /* sorted */
    int range_count, range_size;
    struct reference *references;
    int reference_count, reference_size;
    int error;
    uintptr_t copy[COOP_COPY_SIZE / sizeof (uintptr_t)];
};

static void *more_room(void *array, int count, int *size, size_t each)
{
    if (count < *size)
        return array;
    void *larger = realloc(array, (size_t)(*size * 2 + 16) * each);
    if (larger)
        *size = *size * 2 + 16;
    return larger;
}

static void add_range(struct coop_reach *r, const void *from, size_t size, int owner)
{
    void *larger = more_room(r->ranges, r->range_count, &r->range_size, sizeof *r->ranges);
    if (!larger) {
        r->error = -ENOMEM;
        return;
    }
    r->ranges = larger;
    r->ranges[r->range_count++] = (struct range){
        (uintptr_t)from, (uintptr_t)from + size, owner
    };
}

void coop_reach_task(struct coop_reach *r, const coop_task *t, int owner)
{
    const char *limit = t->co.limit;
    for (const struct coop_segment *s = t->co.segment; s; s = s->below) {
        add_range(r, s, s->size, owner);
        limit = s->limit;
    }
    add_range(r, t, (size_t)(limit - (const char *)t), owner);
    for (const coop_frame *frame = t->co.top; frame; frame = frame->caller)
        if (frame->flags & FRAME_FIBER) {
            size_t size;
            const void *low = coop_fiber_memory(frame, &size);
            add_range(r, low, size, owner);
        }
}

static int by_value(const void *a, const void *b)
{
    uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;
    return (x > y) - (x < y);
}

static int by_place(const void *a, const void *b)
{
    const struct range *x = a, *y = b;
    return (x->from > y->from) - (x->from < y->from);
}

struct coop_reach *coop_reach_new(const uintptr_t *inverted, int count)
{
    struct coop_reach *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->objects = malloc(((size_t)count + 1) * sizeof *r->objects);
    r->everywhere = calloc((size_t)count + 1, sizeof *r->everywhere);
    if (!r->objects || !r->everywhere) {
        coop_reach_free(r);
        return NULL;
    }
    for (int i = 0; i < count; i++)
        r->objects[i] = inverted[i];
    qsort(r->objects, (size_t)count, sizeof *r->objects, by_value);
    r->count = count;
    return r;
}

void coop_reach_free(struct coop_reach *r)
{
    if (r) {
        free(r->objects);
        free(r->everywhere);
        free(r->ranges);
        free(r->references);
    }
    free(r);
}

static int find(const struct coop_reach *r, uintptr_t inverted)
{
    const uintptr_t *at = bsearch(&inverted, r->objects, (size_t)r->count, sizeof inverted,
                                  by_value);
    return at ? (int)(at - r->objects) : NOBODY;
}

/* The range that a place is in; NULL: none. */
static const struct range *range_at(const struct coop_reach *r, uintptr_t place)
{
    int low = 0, high = r->range_count;
    while (low < high) {
        int middle = (low + high) / 2;
        if (r->ranges[middle].to <= place)
            low = middle + 1;
        else
            high = middle;
    }
    return low < r->range_count && r->ranges[low].from <= place ? &r->ranges[low] : NULL;
}

static void add_reference(struct coop_reach *r, int object, int owner)
{
    void *larger = more_room(r->references, r->reference_count, &r->reference_size,
                             sizeof *r->references);
    if (!larger) {
        r->everywhere[object] = true;
        return;
    }
    r->references = larger;
    r->references[r->reference_count++] = (struct reference){ object, owner };
}

static void visit(void *arg, uintptr_t at, const uintptr_t *words, size_t count)
{
    struct coop_reach *r = arg;
    for (size_t i = 0; i < count; i++) {
        uintptr_t inverted = ~words[i];
        if (inverted < r->objects[0] || inverted > r->objects[r->count - 1])
            continue;
        int object = find(r, inverted);
        if (object == NOBODY)
            continue;
        const struct range *range = range_at(r, at + i * sizeof *words);
        if (!range)
            r->everywhere[object] = true;
        else if (range->owner != NOBODY)
            add_reference(r, object, range->owner);
    }
}

int coop_reach_look(struct coop_reach *r, coop_sched *s)
{
    for (size_t kind = 0; kind < sizeof s->spare / sizeof *s->spare; kind++)
        for (const coop_task *t = s->spare[kind].first; t; t = t->next)
            coop_reach_task(r, t, NOBODY);
    add_range(r, r->copy, sizeof r->copy, NOBODY);
    if (r->error)
        return r->error;
    qsort(r->ranges, (size_t)r->range_count, sizeof *r->ranges, by_place);
    return r->count ? coop_read_memory(visit, r, r->copy) : 0;
}

bool coop_reached(const struct coop_reach *r, uintptr_t inverted, const bool *out)
{
    int object = find(r, inverted);
    if (object == NOBODY || r->everywhere[object])
        return true;
    for (int i = 0; i < r->reference_count; i++)
        if (r->references[i].object == object && out[r->references[i].owner])
            return true;
    return false;
}
