/* System calls: each has its own result, and anybody can add one. */
#include "park.h"

#include <errno.h>
#include <string.h>

coop_routine(results, coop_value r, tid;)
{
    coop_begin;
    coop_trap(my->tid, GetTid);
    IS(my->tid, coop_self());
    my->r = 77;
    coop_yield(my->r, 5);
    IS(my->r, 0);
    coop_trap(my->tid, GetTid);
    coop_trap(my->r, Yield);
    IS(my->r, 0);
    coop_trap(my->tid, GetTid);
    coop_trap(my->r, Sleep, .ns = 1);
    IS(my->r, 0);
    coop_trap(my->r, Sleep, .ns = -1);
    IS(my->r, 0);
    coop_trap(my->r, Close, .fd = 5);
    IS(my->r, 0);
    coop_return(my->tid);
    coop_end;
}

static void F5_rule_6_each_trap_has_its_own_result(void)
{
    WORLD(1, results);
}

coop_routine(fails_below, int depth; coop_value r;)
{
    coop_begin;
    if (my->depth)
        coop_await(my->r, fails_below, .depth = my->depth - 1);
    else
        coop_trap(my->r, ReadWait, .fd = -1);
    coop_return(my->r);
    coop_end;
}

static void F3_an_error_passes_through_the_calls(void)
{
    WORLD(-EBADF, fails_below, .depth = 5);
}

/* ---- A lock, a gate and an alarm, as a user would write them ---- */

struct gate { coop_call *waiting; bool open; };

struct coop_Pass { coop_call base; coop_timer timer; struct gate *gate; int64_t limit; };

static coop_value pass_handle(coop_sched *s, coop_call *call)
{
    struct coop_Pass *c = (struct coop_Pass *)call;
    if (!c->gate)
        return -EINVAL;
    if (c->gate->open)
        return 1;
    if (c->limit) {
        int r = coop_timer_set(s, call, coop_clock(s) + c->limit);
        if (r < 0)
            return r;
    }
    coop_list_add(&c->gate->waiting, call);
    return COOP_WAIT;
}

/* Asked by the timer, or by Lift. */
static coop_value pass_ready(coop_sched *s, coop_call *call)
{
    struct coop_Pass *c = (struct coop_Pass *)call;
    if (!c->gate->open && !(c->limit && coop_clock(s) >= c->timer.when))
        return COOP_WAIT;
    coop_timer_clear(s, call);
    if (c->gate->open)
        return 2;
    coop_list_remove(&c->gate->waiting, call);
    return -ETIMEDOUT;
}

static bool pass_undo(coop_sched *s, coop_call *call)
{
    coop_timer_clear(s, call);
    say("undo-%d", coop_list_remove(&((struct coop_Pass *)call)->gate->waiting, call));
    return true;
}

static void pass_describe(const coop_call *call, const coop_value *r, coop_text *text)
{
    const struct coop_Pass *c = (const struct coop_Pass *)call;
    coop_print(text, "%s", !c->gate ? "NULL" : c->gate->open ? "open" : "shut");
    if (r)
        coop_print(text, ", %td", *r);
}

static const coop_call_type coop_Pass_type = {
    .name = "Pass", .handle = pass_handle, .ready = pass_ready, .undo = pass_undo,
    .describe = pass_describe
};

struct coop_Lift { coop_call base; struct gate *gate; bool one; };

static coop_value open_handle(coop_sched *s, coop_call *call)
{
    struct coop_Lift *c = (struct coop_Lift *)call;
    coop_call *waiting;
    coop_value woken = 0;
    if (!c->one)
        c->gate->open = true;
    while ((waiting = coop_list_take(&c->gate->waiting))) {
        woken++;
        if (c->one) {
            coop_timer_clear(s, waiting);
            coop_wake(s, waiting, 3);
            break;
        }
        IS(coop_offer(s, waiting), true);
    }
    return woken;
}

static const coop_call_type coop_Lift_type = { .name = "Lift", .handle = open_handle };

coop_routine(passer, int n; struct gate *gate; int64_t limit; coop_value r;)
{
    coop_begin;
    coop_trap(my->r, Pass, .gate = my->gate, .limit = my->limit);
    say("%d:%s", my->n, result(my->r));
    coop_end;
}

coop_routine(opener, struct gate *gate; coop_value r;)
{
    coop_begin;
    coop_trap(my->r, Lift, .gate = my->gate, .one = true);
    IS(my->r, 1);
    coop_trap(coop_void, Sleep, .ns = COOP_MS(20));
    coop_trap(my->r, Lift, .gate = my->gate);
    say("opened-for-%td", my->r);
    coop_end;
}

static void users_call_waits_and_is_woken(void)
{
    struct gate gate = { NULL, false };
    world_open(0);
    for (int i = 0; i < 5; i++)
        coop_spawn(passer, .n = i, .gate = &gate, .limit = i % 2 ? COOP_MS(10) : 0);
    coop_spawn(opener, .gate = &gate);
    coop_spawn(passer, .n = 5, .gate = &gate, .limit = COOP_S(10));
    IS(coop_run(), 0);
    LOG_IS("0:3 1:ETIMEDOUT 3:ETIMEDOUT 2:2 4:2 5:2 opened-for-3");
    CU_ASSERT_PTR_NULL(gate.waiting);
    IS(coop_main(passer, .n = 6, .gate = &gate), 0);
    LOG_IS("6:1");
    world_close();
}

coop_routine(killer, struct gate *gate; coop_tid tid;)
{
    coop_begin;
    my->tid = coop_spawn(passer, .gate = my->gate, .limit = COOP_S(1));
    coop_trap(coop_void, Yield);
    coop_trap(coop_void, KillTask, .tid = my->tid, .wait = true);
    no_trace_of(my->tid);
    IS(coop_this->due_count, 0);
    coop_end;
}

static void rule_8_undo_takes_a_users_call_out(void)
{
    struct gate gate = { NULL, false };
    world_open(0);
    IS(coop_main(killer, .gate = &gate), 0);
    LOG_IS("undo-1");
    CU_ASSERT_PTR_NULL(gate.waiting);
    world_close();
}

static void F19_rule_7_an_error_in_handle_fails_the_call(void)
{
    world_open(0);
    coop_spawn(passer, .n = 1);
    coop_spawn(results);
    IS(coop_run(), 0);
    LOG_IS("1:EINVAL");
    world_close();
}

coop_routine(far, coop_value r;)
{
    coop_begin;
    coop_trap(my->r, Far);
    coop_return(my->r);
    coop_end;
}

/* A call that says that the outside will wake it is no deadlock, even if nothing else
   waits for the outside. */
static void outside_without_timer_or_descriptor(void)
{
    world_open(0);
    coop_tid tid = coop_spawn(far);
    IS(coop_run(), -EIO);          /* the virtual machine would have had to wait for ever */
    CU_ASSERT(world.machine.stuck);
    CU_ASSERT_PTR_NOT_NULL_FATAL(parked);
    IS(parked->task->tid, tid);
    coop_wake(coop_this, coop_list_take(&parked), 8);
    IS(coop_run(), 0);
    world_close();
    NO_REPORTS();
}

coop_routine(poll_fails, coop_value r;)
{
    coop_begin;
    coop_trap(my->r, Sleep, .ns = COOP_S(1));
    coop_return(my->r);
    coop_end;
}

static void rule_7_a_failing_poll_ends_the_run_not_the_kernel(void)
{
    world_open(0);
    coop_spawn(poll_fails);
    world.machine.poll_error = -EINVAL;
    IS(coop_run(), -EINVAL);
    IS(coop_run(), 0);
    world_close();
}

static void lists(void)
{
    coop_call calls[4] = { { .next = NULL } }, *list = NULL;
    CU_ASSERT_PTR_NULL(coop_list_take(&list));
    CU_ASSERT_FALSE(coop_list_remove(&list, &calls[0]));
    for (int i = 0; i < 4; i++)
        coop_list_add(&list, &calls[i]);
    CU_ASSERT(coop_list_remove(&list, &calls[3]));
    CU_ASSERT_FALSE(coop_list_remove(&list, &calls[3]));
    CU_ASSERT(coop_list_remove(&list, &calls[0]));
    coop_list_add(&list, &calls[0]);
    CU_ASSERT_PTR_EQUAL(coop_list_take(&list), &calls[1]);
    CU_ASSERT_PTR_EQUAL(coop_list_take(&list), &calls[2]);
    CU_ASSERT(coop_list_remove(&list, &calls[0]));
    CU_ASSERT_PTR_NULL(list);
    coop_list_add(&list, &calls[2]);
    CU_ASSERT_PTR_EQUAL(coop_list_take(&list), &calls[2]);
    CU_ASSERT_PTR_NULL(list);
}

static const char *text_of(const coop_call *call, const coop_value *value)
{
    static char buf[200];
    coop_text text = { .data = buf, .size = sizeof buf };
    buf[0] = '\0';
    coop_call_text(call, value, &text);
    return buf;
}

/* TEXT(result, CALL, .argument = value, ...) */
#define TEXT(value, ...) TEXT_(value, __VA_ARGS__, .base.next = NULL)
#define TEXT_(value, NAME, ...)                                                     \
    text_of(&(struct coop_##NAME){ .base.type = &coop_##NAME##_type,                \
                                   __VA_ARGS__ }.base, value)

static void F28_calls_as_text(void)
{
    struct gate gate = { NULL, false };
    coop_value ok = 0, two = 2, bad = -EBADF, odd = -4711;
    CU_ASSERT_STRING_EQUAL(TEXT(&two, GetTid), "GetTid() = 2");
    CU_ASSERT_STRING_EQUAL(TEXT(NULL, Yield), "Yield()");
    CU_ASSERT_STRING_EQUAL(TEXT(&ok, Sleep, .ns = COOP_MS(1500)), "Sleep(1.5s) = 0");
    CU_ASSERT_STRING_EQUAL(TEXT(&bad, WaitTask, .tid = 3), "WaitTask(3) = -9 EBADF");
    CU_ASSERT_STRING_EQUAL(TEXT(&odd, WaitTask, .tid = -3), "WaitTask(-3) = -4711");
    CU_ASSERT_STRING_EQUAL(TEXT(NULL, KillTask, .tid = 3), "KillTask(3)");
    CU_ASSERT_STRING_EQUAL(TEXT(NULL, KillTask, .tid = 3, .wait = true),
                           "KillTask(3, wait)");
    CU_ASSERT_STRING_EQUAL(TEXT(NULL, Exit, .value = -EBADF), "Exit(-9 EBADF)");
    CU_ASSERT_STRING_EQUAL(TEXT(NULL, NewTask, .name = "me"), "NewTask(me)");
    CU_ASSERT_STRING_EQUAL(TEXT(NULL, NewTask, .name = NULL), "NewTask(NULL)");
    CU_ASSERT_STRING_EQUAL(TEXT(NULL, ReadWait, .fd = 5), "ReadWait(5)");
    CU_ASSERT_STRING_EQUAL(TEXT(NULL, WriteWait, .fd = -1), "WriteWait(-1)");
    CU_ASSERT_STRING_EQUAL(TEXT(&ok, Close, .fd = 5), "Close(5) = 0");
    CU_ASSERT_STRING_EQUAL(TEXT(&two, Pass, .gate = &gate), "Pass(shut, 2) = 2");
    CU_ASSERT_STRING_EQUAL(TEXT(&two, Lift, .gate = &gate), "Lift() = 2");
    CU_ASSERT_STRING_EQUAL(text_of(NULL, NULL), "");
    coop_call_text(&(struct coop_Yield){ { .type = &coop_Yield_type } }.base, NULL, NULL);
    coop_result_text(0, NULL);
}

static const suite_test tests[] = {
    TEST(F5_rule_6_each_trap_has_its_own_result),
    TEST(F3_an_error_passes_through_the_calls),
    TEST(users_call_waits_and_is_woken),
    TEST(rule_8_undo_takes_a_users_call_out),
    TEST(F19_rule_7_an_error_in_handle_fails_the_call),
    TEST(outside_without_timer_or_descriptor),
    TEST(rule_7_a_failing_poll_ends_the_run_not_the_kernel),
    TEST(lists),
    TEST(F28_calls_as_text),
};

int main(int argc, char **argv)
{
    return world_main("call", tests, SUITE_COUNT(tests), argc, argv, "");
}
