/* Channels: who gets what in which order, and that nothing is lost or told twice when a
   task is killed or cancelled, its time is over, or another part of its WaitAny was
   first. */
#include "blocks.h"

#include <errno.h>
#include <string.h>

/* Sends first to last, and says how each went, as in "s1=0". */
coop_routine(sender, coop_chan *chan; int first, last; coop_value r;)
{
    coop_begin;
    for (; my->first <= my->last; my->first++) {
        my->r = 77;
        coop_trap(my->r, ChanSend, .chan = my->chan, .value = my->first);
        say("s%d=%s", my->first, result(my->r));
        my->r = 77;
    }
    coop_finally;
    if (my->first <= my->last && my->r == -ECANCELED)
        say("s%d-undone", my->first);
    coop_end;
}

/* Receives so many, each as in "a1"; what it had got when it was killed as in "a1!". */
coop_routine(receiver, coop_chan *chan; const char *name; int n; coop_value r;)
{
    coop_begin;
    for (; my->n > 0; my->n--) {
        coop_trap(my->r, ChanRecv, .chan = my->chan);
        say("%s%s", my->name, result(my->r));
    }
    coop_finally;
    if (my->n > 0)
        say("%s%s!", my->name, result(my->r));
    coop_end;
}

static void send(coop_chan *ch, int first, int last)
{
    coop_spawn(sender, .chan = ch, .first = first, .last = last);
}

static coop_tid receive(coop_chan *ch, const char *name, int n)
{
    return coop_spawn(receiver, .chan = ch, .name = name, .n = n);
}

static coop_chan *open_chan(size_t size, size_t capacity)
{
    world_open(0);
    return coop_chan_open(size, capacity, "c");
}

static void run_and_close(coop_chan *ch)
{
    IS(coop_run(), 0);
    NO_REPORTS();
    world_close();
    IS(coop_chan_free(ch), 0);
}

/* ---- Order ---- */

static void a_rendezvous_from_either_side(void)
{
    coop_chan *ch = open_chan(0, 0);
    send(ch, 1, 2);
    receive(ch, "a", 3);
    send(ch, 3, 3);
    run_and_close(ch);
    LOG_IS("s1=0 a1 s3=0 a3 s2=0 a2");
}

static void senders_get_their_turns_in_order(void)
{
    coop_chan *ch = open_chan(0, 2);
    for (int i = 1; i <= 5; i++)
        send(ch, i, i);
    receive(ch, "a", 5);
    run_and_close(ch);
    LOG_IS("s1=0 s2=0 s3=0 a1 s4=0 a2 s5=0 a3 a4 a5");
}

static void receivers_get_their_turns_in_order(void)
{
    coop_chan *ch = open_chan(0, 2);
    receive(ch, "a", 1);
    receive(ch, "b", 2);
    receive(ch, "c", 1);
    send(ch, 1, 4);
    run_and_close(ch);
    LOG_IS("a1 s1=0 b2 s2=0 c3 s3=0 b4 s4=0");
}

/* Slots are used again and again, and keep the order. */
coop_routine(round_and_round, coop_chan *chan; int i, sent, got; coop_value r;)
{
    coop_begin;
    for (my->i = 0; my->i < 30; my->i++) {
        coop_trap(my->r, ChanSend, .chan = my->chan, .value = my->sent, .poll = true);
        IS(my->r, my->sent - my->got < 3 ? 0 : -EAGAIN);
        my->sent += my->r == 0;
        IS(coop_chan_queued(my->chan), my->sent - my->got);
        if (my->i % 4 < 3)
            continue;
        coop_trap(my->r, ChanRecv, .chan = my->chan, .poll = true);
        IS(my->r, my->got++);
        coop_trap(my->r, ChanRecv, .chan = my->chan, .poll = true);
        IS(my->r, my->got++);
    }
    coop_end;
}

static void slots_are_used_again(void)
{
    coop_chan *ch = open_chan(0, 3);
    coop_spawn(round_and_round, .chan = ch);
    run_and_close(ch);
}

struct item { char text[21]; };

coop_routine(item_sender, coop_chan *chan; struct item item; int i; coop_value r;)
{
    coop_begin;
    for (my->i = 0; my->i < 4; my->i++) {
        memset(&my->item, 'a' + my->i, 20);
        coop_trap(my->r, ChanSend, .chan = my->chan, .item = &my->item);
        IS(my->r, 0);
        memset(&my->item, '-', 20);
    }
    coop_end;
}

coop_routine(item_receiver, coop_chan *chan; struct item item; int i; coop_value r;)
{
    coop_begin;
    for (my->i = 0; my->i < 4; my->i++) {
        coop_trap(my->r, ChanRecv, .chan = my->chan, .item = &my->item);
        IS(my->r, 0);
        IS(strspn(my->item.text, (char[]){ (char)('a' + my->i), '\0' }), 20);
    }
    coop_end;
}

static void items_are_copied(void)
{
    for (size_t capacity = 0; capacity < 6; capacity++)
        for (int order = 0; order < 2; order++) {
            coop_chan *ch = open_chan(sizeof(struct item), capacity);
            if (order)
                coop_spawn(item_sender, .chan = ch);
            coop_spawn(item_receiver, .chan = ch);
            if (!order)
                coop_spawn(item_sender, .chan = ch);
            run_and_close(ch);
        }
}

/* ---- Closing ---- */

coop_routine(closer, coop_chan *chan; coop_value r;)
{
    coop_begin;
    coop_trap(my->r, ChanClose, .chan = my->chan);
    IS(my->r, 0);
    coop_trap(my->r, ChanClose, .chan = my->chan);
    IS(my->r, 0);
    coop_end;
}

static void what_is_in_a_closed_channel_can_be_received(void)
{
    coop_chan *ch = open_chan(0, 2);
    send(ch, 1, 3);
    send(ch, 4, 4);
    coop_spawn(closer, .chan = ch);
    coop_spawn(closer, .chan = ch);
    receive(ch, "a", 4);
    run_and_close(ch);
    LOG_IS("s1=0 s4=0 a1 s2=EPIPE a4 s3=EPIPE aEPIPE aEPIPE");
}

static void closing_wakes_all_that_wait(void)
{
    coop_chan *ch = open_chan(0, 0);
    receive(ch, "a", 1);
    receive(ch, "b", 2);
    coop_spawn(closer, .chan = ch);
    run_and_close(ch);
    LOG_IS("aEPIPE bEPIPE bEPIPE");
    ch = open_chan(0, 0);
    send(ch, 1, 1);
    send(ch, 2, 3);
    coop_spawn(closer, .chan = ch);
    run_and_close(ch);
    LOG_IS("s1=EPIPE s2=EPIPE s3=EPIPE");
}

static void a_channel_that_is_waited_on_is_not_released(void)
{
    coop_chan *ch = open_chan(0, 0);
    receive(ch, "a", 1);
    IS(coop_run(), -EDEADLK);
    REPORTED("receiver waits in ChanRecv(c, cap 0, 0 queued) at test_chan.c:");
    IS(coop_chan_free(ch), -EBUSY);
    world_drop();
    LOG_IS("aECANCELED!");
    IS(coop_chan_free(ch), 0);
    IS(coop_chan_free(NULL), 0);
}

/* ---- Broadcast ---- */

coop_routine(broadcaster, coop_chan *chan; int value; coop_value r;)
{
    coop_begin;
    coop_trap(my->r, ChanSend, .chan = my->chan, .value = my->value, .all = true);
    say("to %s", result(my->r));
    coop_end;
}

/* Waits twice for the same, and gets one. */
coop_routine(twice, coop_chan *chan; coop_value which, v;)
{
    coop_begin;
    coop_any(my->which, my->v, (ChanRecv, .chan = my->chan), (ChanRecv, .chan = my->chan));
    say("%td:%s", my->which, result(my->v));
    coop_end;
}

static void all_that_wait_get_a_broadcast(void)
{
    coop_chan *ch = open_chan(0, 4);
    coop_spawn(broadcaster, .chan = ch, .value = 1);
    receive(ch, "a", 1);
    coop_spawn(twice, .chan = ch);
    receive(ch, "b", 1);
    coop_spawn(broadcaster, .chan = ch, .value = 2);
    coop_spawn(broadcaster, .chan = ch, .value = 3);
    coop_spawn(closer, .chan = ch);
    coop_spawn(broadcaster, .chan = ch, .value = 4);
    run_and_close(ch);
    LOG_IS("to 0 a2 0:2 b2 to 3 to 0 to EPIPE");
}

/* ---- Wrong arguments ---- */

coop_routine(wrong, coop_chan *values, *items; char item; coop_value r;)
{
    coop_begin;
    coop_trap(my->r, ChanSend, .chan = NULL);
    IS(my->r, -ENOMEM);
    coop_trap(my->r, ChanRecv, .chan = NULL);
    IS(my->r, -ENOMEM);
    coop_trap(my->r, ChanClose, .chan = NULL);
    IS(my->r, -ENOMEM);
    coop_trap(my->r, ChanSend, .chan = my->values, .value = -1);
    IS(my->r, -EINVAL);
    coop_trap(my->r, ChanSend, .chan = my->items);
    IS(my->r, -EFAULT);
    coop_trap(my->r, ChanRecv, .chan = my->items);
    IS(my->r, -EFAULT);
    coop_trap(my->r, ChanSend, .chan = my->items, .item = &my->item, .poll = true);
    IS(my->r, -EAGAIN);
    coop_trap(my->r, ChanRecv, .chan = my->items, .item = &my->item, .poll = true);
    IS(my->r, -EAGAIN);
    coop_trap(my->r, ChanClose, .chan = my->values);
    coop_trap(my->r, ChanRecv, .chan = my->values, .poll = true);
    IS(my->r, -EPIPE);
    coop_trap(my->r, ChanSend, .chan = my->values, .poll = true);
    IS(my->r, -EPIPE);
    coop_end;
}

static void wrong_arguments(void)
{
    coop_chan *items = coop_chan_open(1, 0, NULL), *ch = open_chan(0, 1);
    coop_spawn(wrong, .values = ch, .items = items);
    run_and_close(ch);
    IS(coop_chan_free(items), 0);
    IS(coop_chan_queued(NULL), -ENOMEM);
}

static void no_memory_for_a_channel(void)
{
    no_memory = true;
    CU_ASSERT_PTR_NULL(coop_chan_open(0, 1, NULL));
    no_memory = false;
    CU_ASSERT_PTR_NULL(coop_chan_open(1000, SIZE_MAX / 1000, NULL));
    CU_ASSERT_PTR_NULL(coop_chan_open(SIZE_MAX, 1, NULL));
    CU_ASSERT_PTR_NULL(coop_chan_open(0, SIZE_MAX / 4, NULL));
}

/* ---- Ends of a wait ---- */

coop_routine(killer, coop_tid tid; bool cancel; coop_value r;)
{
    coop_begin;
    if (my->cancel)
        coop_trap(my->r, Cancel, .tid = my->tid);
    else
        coop_trap(my->r, KillTask, .tid = my->tid);
    IS(my->r, 0);
    coop_end;
}

static void a_killed_receiver_has_taken_nothing(void)
{
    for (int cancel = 0; cancel < 2; cancel++) {
        coop_chan *ch = open_chan(0, 0);
        coop_tid a = receive(ch, "a", 1);
        receive(ch, "b", 1);
        coop_spawn(killer, .tid = a, .cancel = cancel);
        send(ch, 1, 1);
        run_and_close(ch);
        LOG_IS(cancel ? "aECANCELED b1 s1=0" : "aECANCELED! b1 s1=0");
    }
}

/* The answer has come before, and is there to be looked after. */
static void a_receiver_that_is_killed_too_late_has_the_item(void)
{
    coop_chan *ch = open_chan(0, 0);
    coop_tid a = receive(ch, "a", 1);
    coop_spawn(broadcaster, .chan = ch, .value = 5);
    coop_spawn(killer, .tid = a);
    run_and_close(ch);
    LOG_IS("a5! to 1");
}

static void a_killed_sender_has_sent_nothing(void)
{
    for (size_t capacity = 0; capacity < 2; capacity++)
        for (int cancel = 0; cancel < 2; cancel++) {
            coop_chan *ch = open_chan(0, capacity);
            if (capacity)
                send(ch, 0, 0);
            coop_tid s = coop_spawn(sender, .chan = ch, .first = 1, .last = 1);
            send(ch, 2, 2);
            coop_spawn(killer, .tid = s, .cancel = cancel);
            receive(ch, "a", 1 + (int)capacity);
            run_and_close(ch);
            LOG_IS(!capacity ? cancel ? "s1=ECANCELED s2=0 a2" : "s1-undone s2=0 a2"
                   : cancel ? "s0=0 s1=ECANCELED s2=0 a0 a2" : "s0=0 s1-undone s2=0 a0 a2");
        }
}

coop_routine(in_time, coop_chan *chan; coop_value r;)
{
    coop_begin;
    coop_within(my->r, COOP_MS(1), ChanRecv, .chan = my->chan);
    say("r%s", result(my->r));
    coop_within(my->r, COOP_MS(1), ChanSend, .chan = my->chan, .value = 1);
    say("s%s", result(my->r));
    coop_within(my->r, COOP_MS(1), ChanSend, .chan = my->chan, .value = 2);
    say("s%s", result(my->r));
    coop_within(my->r, COOP_MS(1), ChanRecv, .chan = my->chan);
    say("r%s", result(my->r));
    coop_within(my->r, COOP_MS(1), ChanJoin, .chan = my->chan);
    say("j%s", result(my->r));
    IS(coop_chan_queued(my->chan), 0);
    coop_end;
}

static void time_limits(void)
{
    coop_chan *ch = open_chan(0, 1);
    coop_spawn(in_time, .chan = ch);
    run_and_close(ch);
    LOG_IS("rETIMEDOUT s0 sETIMEDOUT r1 jETIMEDOUT");
}

/* A cancelled task may still ask without waiting. */
coop_routine(cancelled, coop_chan *chan; coop_value r;)
{
    coop_begin;
    coop_trap(coop_void, Cancel, .tid = coop_self());
    coop_trap(my->r, ChanSend, .chan = my->chan, .value = 1);
    IS(my->r, -ECANCELED);
    coop_trap(my->r, ChanSend, .chan = my->chan, .value = 1, .poll = true);
    IS(my->r, 0);
    coop_trap(my->r, ChanSend, .chan = my->chan, .value = 1, .all = true);
    IS(my->r, 0);
    coop_trap(my->r, ChanRecv, .chan = my->chan);
    IS(my->r, -ECANCELED);
    coop_trap(my->r, ChanRecv, .chan = my->chan, .poll = true);
    IS(my->r, 1);
    coop_end;
}

static void a_cancelled_task_sends_without_waiting(void)
{
    coop_chan *ch = open_chan(0, 1);
    coop_spawn(cancelled, .chan = ch);
    run_and_close(ch);
}

/* ---- WaitAny ---- */

/* As both a sender and a receiver of a, and a receiver of b. */
coop_routine(either, coop_chan *a, *b; const char *name; int value; coop_value which, v;)
{
    coop_begin;
    coop_any(my->which, my->v, (ChanSend, .chan = my->a, .value = my->value),
             (ChanRecv, .chan = my->a), (ChanRecv, .chan = my->b));
    say("%s%td:%s", my->name, my->which, result(my->v));
    coop_end;
}

static void parts_of_one_wait_do_not_meet(void)
{
    coop_chan *b = coop_chan_open(0, 0, "b"), *a = open_chan(0, 0);
    coop_spawn(either, .a = a, .b = b, .name = "x", .value = 1);
    coop_spawn(either, .a = a, .b = b, .name = "y", .value = 2);
    coop_spawn(either, .a = a, .b = b, .name = "z", .value = 3);
    send(b, 9, 9);
    run_and_close(a);
    LOG_IS("x1:2 y0:0 z2:9 s9=0");
    IS(coop_chan_free(b), 0);
}

/* The room that its own receiving part makes is not for its own sending part. */
static void a_slot_is_not_passed_on_to_oneself(void)
{
    coop_chan *b = coop_chan_open(0, 0, "b"), *a = open_chan(0, 1);
    send(a, 7, 7);
    coop_spawn(either, .a = a, .b = b, .name = "x", .value = 1);
    coop_spawn(either, .a = a, .b = b, .name = "y", .value = 2);
    run_and_close(a);
    LOG_IS("s7=0 x1:7 y0:0");
    IS(coop_chan_free(b), 0);
}

/* Who waits behind gets the slot instead. */
coop_routine(behind, coop_chan *a; coop_value which, v;)
{
    coop_begin;
    coop_trap(coop_void, Yield);
    coop_trap(coop_void, Yield);
    coop_any(my->which, my->v, (ChanSend, .chan = my->a, .value = 1),
             (ChanRecv, .chan = my->a));
    say("%td:%s", my->which, result(my->v));
    coop_end;
}

static void another_sender_gets_the_slot(void)
{
    coop_chan *a = open_chan(0, 1);
    coop_spawn(behind, .a = a);
    send(a, 7, 8);
    IS(coop_run(), 0);
    LOG_IS("s7=0 s8=0 1:7");
    IS(coop_chan_queued(a), 1);
    receive(a, "a", 1);
    run_and_close(a);
    LOG_IS("a8");
}

coop_routine(beaten, coop_chan *a; coop_value which, v;)
{
    coop_begin;
    coop_any(my->which, my->v, (Sleep, .ns = COOP_MS(1)), (ChanRecv, .chan = my->a),
             (ChanJoin, .chan = my->a));
    say("%td", my->which);
    coop_any(my->which, my->v, (ChanSend, .chan = my->a, .value = 4), (Sleep, .ns = 1));
    say("%td", my->which);
    coop_end;
}

coop_routine(late, coop_chan *a; coop_value r;)
{
    coop_begin;
    coop_trap(coop_void, Sleep, .ns = COOP_MS(2));
    coop_trap(my->r, ChanSend, .chan = my->a, .value = 1, .poll = true);
    IS(my->r, -EAGAIN);
    coop_trap(my->r, ChanRecv, .chan = my->a, .poll = true);
    IS(my->r, -EAGAIN);
    coop_end;
}

static void the_losers_of_a_race_wait_no_longer(void)
{
    coop_chan *a = open_chan(0, 0);
    coop_spawn(beaten, .a = a);
    coop_spawn(late, .a = a);
    run_and_close(a);
    LOG_IS("2 1");
}

/* ---- Texts ---- */

coop_routine(shower, coop_chan *chan; char buf[600]; coop_text text;)
{
    coop_begin;
    my->text = (coop_text){ .data = my->buf, .size = sizeof my->buf };
    coop_trap(coop_void, Yield);
    coop_ps(&my->text);
    CU_ASSERT_PTR_NOT_NULL(strstr(my->buf, "ChanSend(c, cap 1, 1 queued)"));
    coop_trap(coop_void, ChanClose, .chan = my->chan);
    coop_end;
}

static char shown[400];

static void show(coop_observer *o, const coop_event *e)
{
    coop_text text = { .data = shown, .size = sizeof shown };
    (void)o;
    if (e->kind == COOP_RESULT && e->call) {
        coop_call_text(e->call, &e->value, &text);
        say("%s", shown);
    }
}

coop_routine(all_calls, coop_chan *chan; coop_value r;)
{
    coop_begin;
    coop_trap(my->r, ChanSend, .chan = my->chan, .value = 5);
    coop_trap(my->r, ChanSend, .chan = my->chan, .value = 5, .poll = true);
    coop_trap(my->r, ChanSend, .chan = my->chan, .value = 5, .all = true);
    coop_trap(my->r, ChanRecv, .chan = my->chan);
    coop_trap(my->r, ChanRecv, .chan = my->chan, .poll = true);
    coop_trap(my->r, ChanDone, .chan = my->chan);
    coop_trap(my->r, ChanJoin, .chan = my->chan);
    coop_trap(my->r, ChanClose, .chan = NULL);
    coop_trap(my->r, ChanClose, .chan = my->chan);
    coop_end;
}

static void texts(void)
{
    static coop_observer observer;
    coop_chan *ch = open_chan(0, 1);
    send(ch, 1, 2);
    coop_spawn(shower, .chan = ch);
    run_and_close(ch);
    LOG_IS("s1=0 s2=EPIPE");
    ch = open_chan(0, 1);
    observer = (coop_observer){ .event = show };
    coop_observe(&observer);
    coop_spawn(all_calls, .chan = ch);
    run_and_close(ch);
    LOG_IS("ChanSend(c, cap 1, 1 queued) = 0 "
           "ChanSend(c, cap 1, 1 queued, poll) = -11 EAGAIN "
           "ChanSend(c, cap 1, 1 queued, all) = 0 ChanRecv(c, cap 1, 0 queued) = 5 "
           "ChanRecv(c, cap 1, 0 queued, poll) = -11 EAGAIN "
           "ChanDone(c, cap 1, 0 queued, 0 not done) = 0 "
           "ChanJoin(c, cap 1, 0 queued, 0 not done) = 0 ChanClose(NULL) = -12 ENOMEM "
           "ChanClose(c, cap 1, 0 queued, closed) = 0");
}

static const suite_test tests[] = {
    TEST(a_rendezvous_from_either_side),
    TEST(senders_get_their_turns_in_order),
    TEST(receivers_get_their_turns_in_order),
    TEST(slots_are_used_again),
    TEST(items_are_copied),
    TEST(what_is_in_a_closed_channel_can_be_received),
    TEST(closing_wakes_all_that_wait),
    TEST(a_channel_that_is_waited_on_is_not_released),
    TEST(all_that_wait_get_a_broadcast),
    TEST(wrong_arguments),
    TEST(no_memory_for_a_channel),
    TEST(a_killed_receiver_has_taken_nothing),
    TEST(a_receiver_that_is_killed_too_late_has_the_item),
    TEST(a_killed_sender_has_sent_nothing),
    TEST(time_limits),
    TEST(a_cancelled_task_sends_without_waiting),
    TEST(parts_of_one_wait_do_not_meet),
    TEST(a_slot_is_not_passed_on_to_oneself),
    TEST(another_sender_gets_the_slot),
    TEST(the_losers_of_a_race_wait_no_longer),
    TEST(texts),
};

int main(int argc, char **argv)
{
    return world_main("chan", tests, SUITE_COUNT(tests), argc, argv, "");
}
