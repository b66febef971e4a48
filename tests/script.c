#include "script.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct things things;

void script_build(const char *text, union step *to)
{
    const char letter = text[0], arg = text[1];
    const int n = arg - '0';
    coop_lock *lock = &things.locks[arg >= 'a' && arg <= 'c' ? arg - 'a' : 0];
#define IF(is, MEMBER, CALL, ...) if (is) (void)COOP_PART(to->MEMBER, CALL, __VA_ARGS__)
    IF(letter == 'L' || letter == 'T', lock, Lock, .lock = lock, .poll = letter == 'T');
    IF(letter == 'S' || letter == 't', lock, Lock, .lock = lock, .shared = true,
       .poll = letter == 't');
    IF(letter == 'U', unlock, Unlock, .lock = lock);
    IF(letter == 'w', wait, CondWait, .condition = &things.condition, .lock = lock);
    IF(letter == 'n', signal, CondSignal, .condition = &things.condition,
       .all = arg == 'A');
    IF(letter == '(' || letter == '[', take, SemWait, .semaphore = &things.semaphore,
       .n = (size_t)n, .poll = letter == '[');
    IF(letter == ')', post, SemPost, .semaphore = &things.semaphore, .n = (size_t)n);
    IF(letter == 'e' || letter == 'p', event, EventWait, .event = &things.event,
       .poll = letter == 'p');
    IF(letter == 'E', set, EventSet, .event = &things.event);
    IF(letter == 'x', clear, EventClear, .event = &things.event);
    IF(letter == 'f' || letter == 'g', future, FutureWait, .future = &things.future,
       .poll = letter == 'g');
    IF(letter == 'F', value, FutureSet, .future = &things.future, .value = n);
    IF(letter == 'b', barrier, BarrierWait, .barrier = &things.barrier, .count = n);
    IF(letter == 'o' || letter == 'u', once, Once, .once = &things.once,
       .poll = letter == 'u');
    IF(letter == 'O' || letter == 'q', done, OnceDone, .once = &things.once,
       .failed = letter == 'q');
    IF(letter == 'Z', sleep, Sleep, .ns = n);
    IF(letter == 'K' || letter == 'k', kill, KillTask, .tid = n, .wait = letter == 'k');
    IF(letter == 'C', cancel, Cancel, .tid = n);
    IF(letter == 'J', task, WaitTask, .tid = n);
#undef IF
    if (letter == 'Y')
        to->base = (coop_call){ .type = &coop_Yield_type };
}

static const char *rest(const char *steps)
{
    while (steps && *steps == ' ')
        steps++;
    return steps && *steps ? steps : NULL;
}

static void log_step(const char *step, coop_value r)
{
    bool silent = strchr("YZ", step[0]) && r == 0;
    if (!silent)
        say("%td:%.2s%s%s", coop_self(), step, r ? "=" : "", r ? result(r) : "");
}

static void log_any(const char *step, coop_value which, coop_value value)
{
    char text[40];
    snprintf(text, sizeof text, "%s", result(which));
    say("%td:%.2s=%s%s%s", coop_self(), step, text, value ? ":" : "",
        value ? result(value) : "");
}

/* Makes all steps; gives what the task is to return. */
coop_routine(make, const char *steps; union step part[4]; coop_call *parts[4];
             coop_value r, value; int n;)
{
    coop_begin;
    while ((my->steps = rest(my->steps))) {
        if (my->steps[0] == '!')
            coop_return('0' - my->steps[1]);
        my->n = 1;
        if (my->steps[0] == '<') {
            script_build(my->steps + 3, &my->part[0]);
            coop_trap(my->r, Within, .ns = my->steps[1] - '0', .part = &my->part[0].base);
            log_step(my->steps + 3, my->r);
            my->n = 2;
        } else if (my->steps[0] == '|') {
            for (my->n = 0; my->n < my->steps[1] - '0'; my->n++) {
                script_build(my->steps + 3 * (my->n + 1), &my->part[my->n]);
                my->parts[my->n] = &my->part[my->n].base;
            }
            my->value = 0;
            coop_trap(my->r, WaitAny, .parts = my->parts, .count = my->n,
                      .value = &my->value);
            log_any(my->steps, my->r, my->value);
            my->n++;
        } else {
            COOP_TRAP_OBJECT_(my->r, struct { union step whole; },
                              script_build(my->steps, &call_->whole));
            log_step(my->steps, my->r);
        }
        my->steps += 3 * my->n - 1;
    }
    coop_end;
}

coop_routine(actor, const char *steps, *cleanup; coop_value r;)
{
    coop_begin;
    coop_await(my->r, make, .steps = my->steps);
    if (my->r)
        coop_return(my->r);
    coop_finally;
    coop_await(coop_void, make, .steps = my->cleanup);
    coop_end;
}

void script_begin(void)
{
    world_open(0);
    things = (struct things){
        .locks = { { .name = "a" }, { .name = "b" }, { .name = "c" } },
        .condition.name = "changed", .semaphore.name = "slots", .event.name = "ready",
        .future.name = "answer", .barrier.name = "start", .once.name = "config"
    };
}

coop_tid script(const char *steps, const char *cleanup)
{
    return coop_spawn(actor, .steps = steps, .cleanup = cleanup);
}

void nothing_is_held(void)
{
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_PTR_NULL(things.locks[i].owner_);
        CU_ASSERT_PTR_NULL(things.locks[i].readers_);
        CU_ASSERT_PTR_NULL(things.locks[i].waiting_);
    }
    CU_ASSERT_PTR_NULL(things.condition.waiting_);
    CU_ASSERT_PTR_NULL(things.semaphore.waiting_);
    CU_ASSERT_PTR_NULL(things.event.waiting_);
    CU_ASSERT_PTR_NULL(things.future.waiting_);
    CU_ASSERT_PTR_NULL(things.barrier.waiting_);
    IS(things.barrier.arrived_, 0);
    CU_ASSERT_PTR_NULL(things.once.waiting_);
    CU_ASSERT_PTR_NULL(things.once.doer_);
}

void script_end(void)
{
    IS(coop_run(), 0);
    nothing_is_held();
    world_close();
}
