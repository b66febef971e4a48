/* Observers, and the events that they are told. */
#include "routines.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Every event, as text */

struct log {
    coop_observer face;
    char text[8000];
    int freed;
};

/* Without the number of the line, which changes with this file. */
static void keep(coop_observer *o, const coop_event *e)
{
    char line[300];
    coop_text text = { .data = line, .size = sizeof line };
    line[0] = '\0';
    coop_event_text(e, &text);
    char *place = strstr(line, ".c:");
    if (place) {
        size_t digits = strspn(place + 3, "0123456789");
        memmove(place + 2, place + 3 + digits, strlen(place + 3 + digits) + 1);
    }
    if (*line)
        strcat(strcat(((struct log *)o)->text, line), "\n");
}

static void count_free(coop_observer *o)
{
    ((struct log *)o)->freed++;
}

static void is_logged(const struct log *log, const char *expected)
{
    if (strcmp(log->text, expected))
        printf("\n%s", log->text);
    CU_ASSERT_STRING_EQUAL(log->text, expected);
}

static const char all_events[] =
    "     0 [1 everything] + spawned by 0  at test_events.c\n"
    "     1 [2 square] + spawned by 1  at routines.c\n"
    "     1 [1 everything] NewTask(square) = 2  at routines.c\n"
    "     1 [2 square] yield 3  at routines.c\n"
    "     1 [3 sleeper] + spawned by 1  at routines.c\n"
    "     2 [1 everything] WaitTask(2) ...  at routines.c\n"
    "     2 [2 square] - returned 9\n"
    "     2 [1 everything] ... WaitTask(2) = 9  by 2  at routines.c\n"
    "     3 [4 [iopoll]] + spawned by 0  at iopoll.c\n"
    "     3 [3 sleeper] Sleep(5s) ...  at routines.c\n"
    "     4 [1 everything] Sleep(1s) ...  at routines.c\n"
    "     4 [4 [iopoll]] Poll(0 descriptors, timer in 1s) ...  at iopoll.c\n"
    "     4 [1 everything] ... Sleep(1s) = 0  at routines.c\n"
    "     4 [4 [iopoll]] Poll(0 descriptors, timer in 4s) ...  at iopoll.c\n"
    "     5 [3 sleeper] ... Sleep(5s) undone  at routines.c\n"
    "     5 [1 everything] KillTask(3) = 0  at routines.c\n"
    "     6 [3 sleeper] Yield() = 0  at routines.c\n"
    "     7 [1 everything] WaitTask(3) ...  at routines.c\n"
    "     7 [3 sleeper] - killed by 1\n"
    "     7 [1 everything] ... WaitTask(3) = -125 ECANCELED  by 3  at routines.c\n"
    "     8 [1 everything] Exit(-5 EIO) = 0  at routines.c\n"
    "     8 [1 everything] - failed -5 EIO\n";

static void F28_every_event_as_text(void)
{
    struct log log = { .face = { .event = keep } };
    world_open_with((coop_options){ .observer = &log.face });
    IS(coop_main(everything), -EIO);
    world_close();
    is_logged(&log, all_events);
}

coop_routine(four_traps, coop_tid tid; int i;)
{
    coop_begin;
    for (my->i = 0; my->i < 4; my->i++)
        coop_trap(my->tid, GetTid);
    coop_end;
}

/* Not only the last one of a slice. */
static void every_trap_of_a_slice(void)
{
    struct log log = { .face = { .event = keep } };
    world_open_with((coop_options){ .observer = &log.face, .quantum = 4 });
    coop_spawn(four_traps);
    coop_spawn(four_traps);
    IS(coop_run(), 0);
    world_close();
    is_logged(&log, "     0 [1 four_traps] + spawned by 0  at test_events.c\n"
                    "     0 [2 four_traps] + spawned by 0  at test_events.c\n"
                    "     1 [1 four_traps] GetTid() = 1  at test_events.c\n"
                    "     2 [1 four_traps] GetTid() = 1  at test_events.c\n"
                    "     3 [1 four_traps] GetTid() = 1  at test_events.c\n"
                    "     4 [1 four_traps] GetTid() = 1  at test_events.c\n"
                    "     5 [2 four_traps] GetTid() = 2  at test_events.c\n"
                    "     6 [2 four_traps] GetTid() = 2  at test_events.c\n"
                    "     7 [2 four_traps] GetTid() = 2  at test_events.c\n"
                    "     8 [2 four_traps] GetTid() = 2  at test_events.c\n"
                    "     8 [1 four_traps] - returned 0\n"
                    "     8 [2 four_traps] - returned 0\n");
}

/* ---- What else an event tells */

static void say_event(coop_observer *o, const coop_event *e)
{
    (void)o;
    if (e->kind == COOP_SPAWN && !e->system)
        say("%td-spawned-by-%td", e->tid, e->other);
    if (e->kind == COOP_WAKE)
        say("%td-woken-by-%td-with-%td", e->tid, e->other, e->value);
    if (e->kind == COOP_UNDO)
        say("%td-undone", e->tid);
    if (e->kind == COOP_RESULT && e->tid == 1)
        say("%s-woke-%u", e->call->type->name, e->woken);
    if (e->kind == COOP_EXIT)
        say("%td-ended-%d-%td-%td", e->tid, (int)e->status.end, e->status.value,
            e->status.by);
}

enum { FD = 5 };

coop_routine(reader, int unused;)
{
    coop_begin;
    coop_trap(coop_void, ReadWait, .fd = FD);
    coop_end;
}

coop_routine(waker, coop_tid a, b, c;)
{
    coop_begin;
    my->a = coop_spawn(reader);
    my->b = coop_spawn(reader);
    my->c = coop_spawn(reader);
    coop_trap(coop_void, Yield);
    coop_trap(coop_void, KillTask, .tid = my->a);
    coop_trap(coop_void, Close, .fd = FD);
    coop_trap(coop_void, GetTid);
    coop_end;
}

static void events_tell_who_did_it(void)
{
    coop_observer o = { .event = say_event };
    world_open_with((coop_options){ .observer = &o });
    IS(coop_main(waker), 0);
    LOG_IS("1-spawned-by-0 2-spawned-by-1 3-spawned-by-1 4-spawned-by-1 Yield-woke-0 "
           "2-undone KillTask-woke-1 2-ended-3--125-1 "
           "3-woken-by-1-with--9 4-woken-by-1-with--9 Close-woke-2 "
           "3-ended-1-0-0 4-ended-1-0-0 GetTid-woke-0 1-ended-1-0-0");
    world_close();
}

static int seen_line, seen_lines;

static void see_line(coop_observer *o, const coop_event *e)
{
    (void)o;
    if (e->kind != COOP_TRAP)
        return;
    IS(e->line, seen_line);
    CU_ASSERT_STRING_EQUAL(e->file, "test_events.c");
    seen_lines++;
}

coop_routine(inner, int unused;)
{
    coop_begin;
    seen_line = __LINE__ + 1;
    coop_trap(coop_void, Yield);
    coop_end;
}

coop_routine(outer, int unused;)
{
    coop_begin;
    coop_await(coop_void, inner);
    seen_line = __LINE__ + 1;
    coop_trap(coop_void, Yield);
    coop_end;
}

static void events_tell_the_innermost_place(void)
{
    coop_observer o = { .event = see_line };
    seen_lines = 0;
    world_open_with((coop_options){ .observer = &o });
    IS(coop_main(outer), 0);
    IS(seen_lines, 2);
    world_close();
}

static void event_text_of_nothing(void)
{
    char buf[20] = "as it was";
    coop_text text = { .data = buf, .size = sizeof buf };
    coop_event_text(NULL, &text);
    coop_event_text(&(coop_event){ .kind = COOP_RUN, .name = "a", .file = "b" }, &text);
    coop_event_text(&(coop_event){ .kind = COOP_TRAP, .name = "a", .file = "b" }, &text);
    coop_event_text(&(coop_event){ .kind = COOP_PASS, .name = "a", .file = "b" }, NULL);
    CU_ASSERT_STRING_EQUAL(buf, "as it was");
}

/* ---- Observers come and go */

static void tell_name(coop_observer *o, const coop_event *e)
{
    if (e->kind == COOP_EXIT)
        say("%c%td", (char)((struct log *)o)->text[0], e->tid);
}

static void observers_are_told_in_order(void)
{
    struct log a = { .face = { .event = tell_name, .free = count_free }, .text = "a" };
    struct log b = a, c = a;
    b.text[0] = 'b';
    c.text[0] = 'c';
    world_open_with((coop_options){ .observer = &a.face });
    IS(coop_observe(&b.face), 0);
    IS(coop_observe(&c.face), 0);
    IS(coop_main(four_traps), 0);
    LOG_IS("a1 b1 c1");
    IS(coop_unobserve(&b.face), 0);
    IS(b.freed, 0);
    IS(coop_main(four_traps), 0);
    LOG_IS("a2 c2");
    IS(coop_observe(&b.face), 0);
    IS(coop_unobserve(&a.face), 0);
    IS(coop_main(four_traps), 0);
    LOG_IS("c3 b3");
    IS(a.freed + b.freed + c.freed, 0);
    world_close();
    IS(a.freed, 0);
    IS(b.freed, 1);
    IS(c.freed, 1);
}

struct remover {
    coop_observer face;
    coop_observer *other;
    coop_event_kind when;
};

static void remove_other(coop_observer *o, const coop_event *e)
{
    struct remover *r = (struct remover *)o;
    if (!r->other || e->kind != r->when)
        return;
    IS(coop_unobserve(r->other), 0);
    free(r->other);
    r->other = NULL;
}

static void say_kind(coop_observer *o, const coop_event *e)
{
    (void)o;
    say("%d", (int)e->kind);
}

/* It is not told of the event during which it was let go, and those after it are. */
static void an_observer_may_remove_a_later_one(void)
{
    for (coop_event_kind when = COOP_SPAWN; when <= COOP_EXIT; when++) {
        coop_observer *other = calloc(1, sizeof *other);
        struct remover remover = {
            .face.event = remove_other, .other = other, .when = when
        };
        coop_observer last = { .event = say_kind };
        static struct log all;
        all = (struct log){ .face.event = keep };
        CU_ASSERT_PTR_NOT_NULL_FATAL(other);
        other->event = say_kind;
        world_open_with((coop_options){ .observer = &remover.face });
        IS(coop_observe(other), 0);
        IS(coop_observe(&all.face), 0);
        IS(coop_main(everything), -EIO);
        CU_ASSERT_PTR_NULL(remover.other);
        CU_ASSERT_PTR_NULL(strchr(world.log, '0' + (int)when));
        is_logged(&all, all_events);
        IS(coop_observe(&last), 0);
        clear_log();
        IS(coop_main(square, .n = 1), 1);
        LOG_IS("0 1 7 1 8");
        world_close();
    }
}

static void observers_are_refused(void)
{
    coop_observer o = { .event = tell_name }, deaf = { .event = NULL };
    IS(coop_observe(&o), -EINVAL);
    IS(coop_unobserve(&o), -EINVAL);
    world_open(0);
    IS(coop_observe(NULL), -EINVAL);
    IS(coop_observe(&deaf), -EINVAL);
    IS(coop_unobserve(NULL), -EINVAL);
    IS(coop_unobserve(&o), -ENOENT);
    IS(coop_observe(&o), 0);
    IS(coop_observe(&o), -EBUSY);
    IS(coop_unobserve(&o), 0);
    IS(coop_unobserve(&o), -ENOENT);
    world_close();
    struct virtual_machine v;
    coop_options deaf_one = { .observer = &deaf, .machine = virtual_machine(&v),
                              .no_env = true };
    IS(coop_sched_open(&deaf_one), -EINVAL);
    CU_ASSERT(!v.freed);
}

static void look_at_tasks(coop_observer *o, const coop_event *e)
{
    char buf[2000];
    coop_text text = { .data = buf, .size = sizeof buf };
    coop_info info;
    (void)o;
    IS(coop_ps(&text), 0);
    IS(coop_inspect(e->tid, &info), 0);
    if (e->kind == COOP_RUN || e->kind == COOP_TRAP)
        IS(info.state, COOP_RUNNING);
    if (e->kind == COOP_BLOCK)
        CU_ASSERT_PTR_EQUAL(info.call, e->call);
}

static void observers_may_look_at_tasks(void)
{
    coop_observer o = { .event = look_at_tasks };
    world_open_with((coop_options){ .observer = &o });
    IS(coop_main(everything), -EIO);
    world_close();
}

static const suite_test tests[] = {
    { "F28_every_event_as_text", F28_every_event_as_text },
    { "every_trap_of_a_slice", every_trap_of_a_slice },
    { "events_tell_who_did_it", events_tell_who_did_it },
    { "events_tell_the_innermost_place", events_tell_the_innermost_place },
    { "event_text_of_nothing", event_text_of_nothing },
    { "observers_are_told_in_order", observers_are_told_in_order },
    { "an_observer_may_remove_a_later_one", an_observer_may_remove_a_later_one },
    { "observers_are_refused", observers_are_refused },
    { "observers_may_look_at_tasks", observers_may_look_at_tasks },
};

int main(int argc, char **argv)
{
    return world_main("events", tests, SUITE_COUNT(tests), argc, argv, "");
}
