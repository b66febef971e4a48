#include "asfibers.h"

#include <string.h>

bool as_fibers;

struct as_fiber {
    struct coop_fiber fiber;
    const coop_routine *routine;
    _Alignas(max_align_t) char frame[];
};

static coop_value call_it(void *arg)
{
    const struct as_fiber *as = arg;
    void *callee = coop_fiber_push_(as->routine->size, _Alignof(max_align_t), "as_fiber");
    if (callee)
        memcpy(callee, as->frame, as->routine->size);
    return coop_fiber_call_(as->routine, callee);
}

static coop_frame *fill(struct as_fiber *as, const coop_routine *r)
{
    as->fiber = (struct coop_fiber){
        .coop_.routine = &coop_fiber_routine, .fn = call_it, .arg = as, .name = r->name
    };
    as->routine = r;
    return (coop_frame *)as->frame;
}

static coop_routine room_for(const coop_routine *r)
{
    return (coop_routine){ .size = sizeof (struct as_fiber) + r->size };
}

coop_frame *as_fiber_make(const coop_routine *r, const char *here)
{
    const coop_routine room = room_for(r);
    coop_frame *first = coop_make_(as_fibers ? &room : r, here);
    return first && as_fibers ? fill((struct as_fiber *)first, r) : first;
}

coop_coroutine *as_fiber_create(const coop_routine *r, const char *here, coop_frame **first)
{
    const coop_routine room = room_for(r);
    coop_coroutine *co = coop_create_(as_fibers ? &room : r, here);
    if (co)
        *first = as_fibers ? fill((struct as_fiber *)co->top, r) : co->top;
    return co;
}

coop_frame *as_fiber_push(coop_coroutine *co, const coop_routine *r, size_t align)
{
    if (!as_fibers)
        return coop_push_(co, r->size, align);
    struct as_fiber *as =
        coop_push_(co, sizeof *as + r->size, _Alignof(struct as_fiber));
    return as ? fill(as, r) : NULL;
}

coop_frame *as_fiber_of(coop_frame *frame)
{
    if (!frame || !as_fibers)
        return frame;
    return (coop_frame *)((char *)frame - offsetof(struct as_fiber, frame));
}
