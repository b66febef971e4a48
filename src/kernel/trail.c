/* trail.c - the ways on which errors came: when a frame returns an error to one that returns
   it too, and so on, the places of those returns are what a report wants to show. They are
   kept for the last few call stacks on which that happened. */
#include "kernel/kernel.h"

#include <stdlib.h>

enum { TRAILS = 8, PLACES = 12 };

struct trail {
    const coop_coroutine *co;
    const coop_frame *next;        /* whose return would go on with it */
    coop_value value;
    int count;                     /* of places that there were, also if not kept */
    coop_place places[PLACES];
};

struct coop_trails { struct trail trails[TRAILS]; };

/* That of this call stack, or of another one before. NULL: no memory. */
static struct trail *trail_of(coop_sched *s, const coop_coroutine *co)
{
    if (!s->trails)
        s->trails = calloc(1, sizeof *s->trails);
    return s->trails ? &s->trails->trails[(uintptr_t)co / 32 % TRAILS] : NULL;
}

static void add(struct trail *trail, const coop_frame *frame, int line)
{
    if (trail->count < PLACES)
        trail->places[trail->count] = (coop_place){
            coop_frame_name(frame), coop_basename(frame->routine->file), line, NULL
        };
    trail->count++;
    trail->next = frame->caller;
}

static void begin(struct trail *trail, const coop_coroutine *co, coop_value value)
{
    trail->co = co;
    trail->value = value;
    trail->count = 0;
}

/* A frame that ends because its task is killed says nothing. */
void coop_trail(coop_sched *s, const coop_coroutine *co, const coop_frame *frame)
{
    struct trail *trail = s && !(co->fate & CO_ENDS) ? trail_of(s, co) : NULL;
    if (!trail)
        return;
    if (trail->co != co || trail->next != frame || trail->value != frame->result)
        begin(trail, co, frame->result);
    add(trail, frame, frame->left);
}

/* All frames as they stand: the task ends from within them. */
void coop_trail_all(coop_sched *s, const coop_coroutine *co, coop_value value)
{
    struct trail *trail = trail_of(s, co);
    if (!trail)
        return;
    begin(trail, co, value);
    for (const coop_frame *frame = co->top; frame; frame = frame->caller)
        add(trail, frame, frame->line > 0 ? frame->line : 0);
}

/* Its memory may be another one's soon. */
void coop_trail_end(coop_sched *s, const coop_coroutine *co)
{
    struct trail *trail = trail_of(s, co);
    if (trail && trail->co == co)
        trail->co = NULL;
}

void coop_trail_text(coop_sched *s, const coop_coroutine *co, coop_value value, coop_text *text)
{
    const struct trail *trail = trail_of(s, co);
    if (!trail || trail->co != co || trail->next || trail->value != value)
        return;
    for (int i = 0; i < trail->count && i < PLACES; i++) {
        const coop_place *p = &trail->places[i];
        coop_print(text, p->line ? "coop:   in %s at %s:%d\n" : "coop:   in %s at %s\n",
                   p->routine, p->file, p->line);
    }
    if (trail->count > PLACES)
        coop_print(text, "coop:   and %d more\n", trail->count - PLACES);
}
