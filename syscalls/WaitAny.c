/* WaitAny - the first of several system calls; the others are undone. */
#include "kernel/kernel.h"

#include <errno.h>

enum { NONE = -1 };

static void win(struct coop_WaitAny *c, int i, coop_value value)
{
    c->winner_ = i;
    if (c->value)
        *c->value = value;
}

/* All that can be undone now is: true, if that was all. */
static bool undo_rest(coop_sched *s, struct coop_WaitAny *c)
{
    for (int i = 0; i < c->count; i++)
        if (c->parts[i]->task && coop_part_undo(s, c->parts[i])) {
            c->parts[i]->task = NULL;
            c->waiting_--;
        }
    return !c->waiting_;
}

/* Different ones for different calls, and the same when the same program runs again. */
static int any_of(uint64_t step, int count)
{
    step = (step ^ step >> 31) * UINT64_C(0x9e3779b97f4a7c15);
    return (int)((step >> 33) % (uint64_t)count);
}

/* Each in its turn, until one of them does not wait; the rest is not made. Making one may
   answer another. True: the task ends. */
static bool begin(coop_sched *s, struct coop_WaitAny *c)
{
    int at = c->fair ? any_of(s->step, c->count) : 0;
    bool ends = false;
    for (int n = 0; n < c->count; n++, at = (at + 1) % c->count) {
        if (c->winner_ != NONE) {
            coop_part_drop(c->parts[at]);
            continue;
        }
        coop_value value = coop_part_begin(s, &c->base, c->parts[at]);
        if (value == COOP_WAIT) {
            c->waiting_++;
            continue;
        }
        c->parts[at]->task = NULL;
        if (c->winner_ == NONE)
            win(c, at, value == COOP_GO_ON ? 0 : value);
        ends = value == COOP_GO_ON;
    }
    return ends;
}

/* Each is another one, and can be a part. */
static bool all_fit(const struct coop_WaitAny *c)
{
    bool fit = true;
    for (int i = 0; i < c->count; i++)
        if (c->parts[i])
            c->parts[i]->task = NULL;
    for (int i = 0; i < c->count && fit; i++) {
        fit = coop_part_fits(c->parts[i]) && !c->parts[i]->task;
        if (fit)
            c->parts[i]->task = c->base.task;
    }
    for (int i = 0; i < c->count && fit; i++)
        c->parts[i]->task = NULL;
    return fit;
}

static coop_value handle(coop_sched *s, coop_call *call)
{
    struct coop_WaitAny *c = (struct coop_WaitAny *)call;
    if (!c->parts || c->count <= 0 || !all_fit(c))
        return -EINVAL;
    c->winner_ = NONE;
    c->waiting_ = 0;
    bool ends = begin(s, c);
    if (c->winner_ == NONE || !undo_rest(s, c))
        return COOP_WAIT;
    return ends ? COOP_GO_ON : c->winner_;
}

static void part(coop_sched *s, coop_call *whole, coop_call *one, coop_value value)
{
    struct coop_WaitAny *c = (struct coop_WaitAny *)whole;
    one->task = NULL;
    c->waiting_--;
    for (int i = 0; i < c->count && c->winner_ == NONE; i++)
        if (c->parts[i] == one)
            win(c, i, value);
    if (whole->task->co.state == COOP_WAITING && undo_rest(s, c))
        coop_wake(s, whole, c->winner_);
}

static bool undo(coop_sched *s, coop_call *call)
{
    return undo_rest(s, (struct coop_WaitAny *)call);
}

static void drop(coop_call *call)
{
    struct coop_WaitAny *c = (struct coop_WaitAny *)call;
    for (int i = 0; c->parts && i < c->count; i++)
        coop_part_drop(c->parts[i]);
}

static const coop_call *nth(const coop_call *call, int n)
{
    const struct coop_WaitAny *c = (const struct coop_WaitAny *)call;
    return n < c->count ? c->parts[n] : NULL;
}

static void describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_WaitAny *c = (const struct coop_WaitAny *)call;
    for (int i = 0; c->parts && i < c->count; i++) {
        bool won = result && *result == i && c->value;
        coop_print(text, "%s", i ? ", " : "");
        if (c->parts[i] && c->parts[i]->type)
            coop_call_text(c->parts[i], won ? c->value : NULL, text);
    }
}

const coop_call_type coop_WaitAny_type = {
    .name = "WaitAny", .handle = handle, .part = part, .undo = undo, .drop = drop,
    .describe = describe, .nth = nth
};
