/* stack.c - call stacks: a first segment inside the task, further ones from malloc. */
#include "kernel/kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A task that sleeps in a small routine is to fit into 216 bytes, with which malloc wastes
   nothing; a larger frame gets room for any of the library's calls on top of it. */
enum { WHOLE = 216, SLEEP_ROOM = 48, CALL_ROOM = 64, SEGMENT = 512, SEGMENT_MOST = 64 * 1024 };

/* With AddressSanitizer none are spared, so that it sees a use after the end. */
#if defined __SANITIZE_ADDRESS__
#define MOST_SPARES 0
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define MOST_SPARES 0
#endif
#endif
#ifndef MOST_SPARES
#define MOST_SPARES 64
#endif

/* Of what sizes memory is spared: of small routines and of fibers. */
static const size_t spared[] = {
    WHOLE, (sizeof (coop_task) + sizeof (struct coop_fiber) + CALL_ROOM + 7) / 16 * 16 + 8
};

static size_t whole_size(const coop_routine *r)
{
    size_t size = sizeof(coop_task) + r->size;
    return size + SLEEP_ROOM <= WHOLE ? WHOLE : (size + CALL_ROOM + 7) / 16 * 16 + 8;
}

/* Room for a coroutine and a task; whoever asks for it fills in the first frame. */
coop_frame *coop_make_(const coop_routine *r, const char *born)
{
    size_t size = whole_size(r);
    coop_sched *s = coop_this;
    coop_task *t;
    size_t kind = size != spared[0];
    if (s && size == spared[kind] && s->spare[kind].first) {
        t = s->spare[kind].first;
        s->spare[kind].first = t->next;
        s->spare[kind].count--;
    } else if (!(t = malloc(size))) {
        return NULL;
    }
    /* In two parts: gcc clears larger ones with an instruction that is slow to start. */
    coop_frame *first = (coop_frame *)t->room;
    t->co = (coop_coroutine){
        .top = first, .sp = t->room + r->size, .limit = (char *)t + size
    };
    memset((char *)t + sizeof t->co, 0, sizeof *t - sizeof t->co);
    t->born = born;
    first->routine = r;
    return first;
}

/* Tasks of the common size are kept for the next ones. */
void coop_unmake(coop_task *t)
{
    coop_sched *s = coop_this;
    for (coop_frame *frame = t->co.top; COOP_RARE(frame); frame = frame->caller)
        if (frame->flags & FRAME_FIBER)
            coop_fiber_end(frame);
    while (COOP_RARE(t->co.segment))
        coop_drop_segment(&t->co);
    if (COOP_RARE(s && s->trails))
        coop_trail_end(s, &t->co);
    if (COOP_RARE(t->co.flags & TASK_MORE))
        coop_lose_more(t);
    if (s && s->current == t)
        s->current = NULL;         /* the watchdog looks at that one */
    size_t size = (size_t)(t->co.limit - (char *)t), kind = size != spared[0];
    if (s && size == spared[kind] && s->spare[kind].count < MOST_SPARES) {
        t->next = s->spare[kind].first;
        s->spare[kind].first = t;
        s->spare[kind].count++;
    } else {
        free(t);
    }
}

void coop_free_spare(coop_sched *s)
{
    for (size_t kind = 0; kind < sizeof spared / sizeof *spared; kind++)
        for (coop_task *t = s->spare[kind].first, *next; t; t = next) {
            next = t->next;
            free(t);
        }
}

void *coop_push_slow_(coop_coroutine *co, size_t size, size_t align)
{
    size_t want = co->segment ? co->segment->size * 2 : SEGMENT;
    size_t need = sizeof(struct coop_segment) + size + align;
    if (want > SEGMENT_MOST)
        want = SEGMENT_MOST;
    if (want < need)
        want = need;
    struct coop_segment *segment = malloc(want);
    if (!segment) {
        co->value = -ENOMEM;
        return NULL;
    }
    *segment = (struct coop_segment){ co->segment, co->sp, co->limit, NULL, want };
    co->segment = segment;
    co->sp = (char *)(segment + 1);
    co->limit = (char *)segment + want;
    return segment->first = coop_push_(co, size, align);
}

void coop_drop_segment(coop_coroutine *co)
{
    struct coop_segment *segment = co->segment;
    co->segment = segment->below;
    co->sp = segment->sp;
    co->limit = segment->limit;
    free(segment);
}
