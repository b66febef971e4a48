/* stack.c - call stacks: a first segment inside the task, further ones from malloc. */
#include "kernel/kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A task that sleeps in a small routine is to fit into 216 bytes, with which malloc wastes
   nothing; a larger frame gets room for an ordinary call on top of it. */
enum { WHOLE = 216, CALL_ROOM = 56, SEGMENT = 512, SEGMENT_MOST = 64 * 1024 };

static size_t whole_size(const coop_routine *r)
{
    size_t size = sizeof(coop_task) + r->size + CALL_ROOM;
    if (r->align > 16)
        size += r->align;
    return size < WHOLE ? WHOLE : (size + 7) / 16 * 16 + 8;
}

coop_task *coop_make(const coop_routine *r, const void *frame, const char *born)
{
    size_t size = whole_size(r);
    coop_task *t = malloc(size);
    if (!t)
        return NULL;
    memset(t, 0, sizeof *t);
    t->co.sp = t->room;
    t->co.limit = (char *)t + size;
    t->born = born;
    coop_frame *first = coop_push_(&t->co, r->size, r->align);
    memcpy(first, frame, r->size);
    coop_enter_(&t->co, r, first);
    return t;
}

void coop_unmake(coop_task *t)
{
    while (t->co.segment)
        coop_drop_segment(&t->co);
    if (t->co.flags & TASK_NAMED)
        free((void *)t->born);
    free(t);
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
