/* timer.c - timers: a heap ordered by time, then by the order in which they were set. Four
   children a node: fewer cache lines on the way down than two. */
#include "kernel/kernel.h"

#include <errno.h>
#include <stdlib.h>

struct coop_due {
    int64_t when;
    coop_timer *timer;
};

static coop_timer *timer_of(coop_call *call)
{
    return (coop_timer *)(call + 1);
}

static coop_call *call_of(coop_timer *timer)
{
    return (coop_call *)timer - 1;
}

static bool before(const struct coop_due *a, const struct coop_due *b)
{
    if (a->when != b->when)
        return a->when < b->when;
    return (int32_t)(a->timer->seq - b->timer->seq) < 0;
}

/* slot is the index plus one, so that 0 is a timer that is off. */
static void place(coop_sched *s, size_t i, struct coop_due due)
{
    s->due[i] = due;
    due.timer->slot = (uint32_t)i + 1;
}

static void up(coop_sched *s, size_t i, struct coop_due due)
{
    while (i > 0 && before(&due, &s->due[(i - 1) / 4])) {
        place(s, i, s->due[(i - 1) / 4]);
        i = (i - 1) / 4;
    }
    place(s, i, due);
}

static void down(coop_sched *s, size_t i, struct coop_due due)
{
    for (;;) {
        size_t first = i * 4 + 1, least = first;
        if (first >= s->due_count)
            break;
        for (size_t c = first + 1; c < first + 4 && c < s->due_count; c++)
            if (before(&s->due[c], &s->due[least]))
                least = c;
        if (!before(&s->due[least], &due))
            break;
        place(s, i, s->due[least]);
        i = least;
    }
    place(s, i, due);
}

int coop_timer_set(coop_sched *s, coop_call *call, int64_t when)
{
    coop_timer *timer = timer_of(call);
    int r = coop_need_poller(s);
    if (r < 0)
        return r;
    coop_timer_clear(s, call);
    if (s->due_count == s->due_size) {
        size_t size = s->due_size ? s->due_size * 2 : 16;
        struct coop_due *due = realloc(s->due, size * sizeof *due);
        if (!due)
            return -ENOMEM;
        s->due = due;
        s->due_size = size;
    }
    timer->when = when;
    timer->seq = s->due_seq++;
    up(s, s->due_count++, (struct coop_due){ when, timer });
    return 0;
}

bool coop_timer_clear(coop_sched *s, coop_call *call)
{
    coop_timer *timer = timer_of(call);
    if (!timer->slot)
        return true;
    size_t i = timer->slot - 1;
    struct coop_due last = s->due[--s->due_count];
    timer->slot = 0;
    if (i == s->due_count)
        return true;
    if (i > 0 && before(&last, &s->due[(i - 1) / 4]))
        up(s, i, last);
    else
        down(s, i, last);
    return true;
}

int64_t coop_clock(coop_sched *s)
{
    return s->machine->now(s->machine);
}

bool coop_next_timer(coop_sched *s, int64_t *when)
{
    if (!s->due_count)
        return false;
    *when = s->due[0].when;
    return true;
}

void coop_expire(coop_sched *s, int64_t now)
{
    s->now = now;
    while (s->due_count && s->due[0].when <= now) {
        coop_call *call = call_of(s->due[0].timer);
        coop_timer_clear(s, call);
        coop_offer(s, call);
    }
}
