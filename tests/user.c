/* A program that uses every macro of coop.h, as strictly compiled as users may wish. */
#include <coop.h>

#include <stdio.h>

coop_declare(shared, int n; coop_value got;);

coop_define(shared)
{
    coop_begin;
    coop_yield(my->got, my->n);
    coop_yield(coop_void, my->got + 1);
    coop_return(my->n * 2);
    coop_end;
}

coop_routine(square, int n;)
{
    coop_begin;
    coop_return(my->n * my->n);
    coop_end;
}

coop_routine(cleaner, int *cleaned; long sum; void *nothing;)
{
    coop_begin;
    coop_await(my->sum, square, .n = 3);
    coop_await(coop_void, square);
    coop_trap(coop_void, Yield);
    coop_trap(my->sum, Sleep, .ns = COOP_US(1));
    if (my->sum != 0)
        coop_return(-1);
    coop_finally;
    coop_trap(my->nothing, Sleep, .ns = COOP_MS(0));
    ++*my->cleaned;
    coop_end;
}

struct coop_Twice { coop_call base; int n; };

static coop_value handle_twice(coop_sched *sched, coop_call *call)
{
    int n = ((struct coop_Twice *)call)->n;
    (void)sched;
    return n == 0 ? COOP_WAIT : 2 * n;
}

static const coop_call_type coop_Twice_type = { .name = "Twice", .handle = handle_twice };

coop_routine(several, struct coop_Sleep nap; struct coop_WaitTask child;
             coop_call *parts[2]; coop_value v, first, wanted;)
{
    coop_begin;
    coop_within(my->v, COOP_MS(1), Sleep, .ns = COOP_S(100));
    my->wanted = my->v == -ETIMEDOUT;
    coop_any(my->first, my->v, (Sleep, .ns = COOP_S(100)), (WaitTask, .tid = COOP_CHILD));
    my->wanted += my->first == 1 && my->v == -ECHILD;
    my->parts[0] = COOP_PART(my->nap, Sleep, .ns = COOP_S(100));
    my->parts[1] = COOP_PART(my->child, WaitTask, .tid = COOP_CHILD);
    coop_trap(my->first, WaitAny, .parts = my->parts, .count = 2);
    my->wanted += my->first == 1;
    coop_return(my->wanted);
    coop_end;
}

coop_routine(together, coop_value results[2], v; int wrong;)
{
    coop_begin;
    coop_all(my->v, my->results, (square, .n = 3), (square, .n = 4));
    my->wrong = my->v != 0 || my->results[0] != 9 || my->results[1] != 16;
    coop_all(my->v, NULL, (square));
    coop_race(my->v, (square, .n = 5), (square, .n = 6));
    coop_return(my->wrong || my->v != 25 ? -1 : 0);
    coop_end;
}

static coop_value on_a_stack(void *arg)
{
    coop_value v = 0, results[2], first;
    coop_yield();
    first = coop_syscall_any(&v, (Sleep, .ns = COOP_S(100)), (WaitTask, .tid = COOP_CHILD));
    if (first != 1 || v != -ECHILD)
        return -1;
    if (coop_syscall_within(COOP_MS(1), Sleep, .ns = COOP_S(100)) != -ETIMEDOUT)
        return -2;
    v = coop_call_all(results, (square, .n = 3), (square, .n = 4));
    if (v != 0 || results[0] != 9 || coop_call_race((square, .n = 5)) != 25)
        return -3;
    return coop_call(square, .n = (int)coop_syscall(GetTid)) + *(const int *)arg;
}

static coop_value starts(void *arg)
{
    coop_tid tid = coop_new_task(coop_create(COOP_FIBER(on_a_stack, arg)), "on a stack");
    return coop_wait_task(tid, NULL) > 0 ? coop_spawn_fiber(on_a_stack, arg) : -1;
}

coop_routine(guest, int *came;)
{
    coop_begin;
    ++*my->came;
    coop_end;
}

coop_routine(through_a_door, coop_chan *chan; coop_door *door; int came; coop_value v;)
{
    coop_begin;
    my->chan = coop_chan_open(0, 1, "inbox");
    my->door = coop_door_open(my->chan, 1, "door");
    coop_post(my->door, &(coop_value){ 5 });
    coop_submit(my->door, guest, .came = &my->came);
    coop_trap(my->v, ChanRecv, .chan = my->chan);
    coop_finally;
    coop_door_close(my->door);
    coop_chan_free(my->chan);
    coop_return(my->v + my->came);
    coop_end;
}

coop_routine(everything, int cleaned; coop_tid tid; coop_value v; coop_status status;)
{
    coop_begin;
    coop_spawn(square);
    coop_spawn(cleaner, .cleaned = &my->cleaned);
    coop_trap(my->tid, NewTask, .target = coop_create(cleaner, .cleaned = &my->cleaned));
    coop_trap(my->v, WaitTask, .tid = my->tid, .status = &my->status);
    coop_trap(my->v, WaitTask, .tid = COOP_CHILD);
    coop_trap(my->v, SignalWait, .signals = my->v == -ECHILD ? 0 : COOP_SIGNAL(2));
    coop_trap(my->v, Twice, .n = 21);
    if (my->status.end != COOP_OK)
        coop_return(-1);
    coop_await(my->status.value, several);
    if (my->status.value != 3)
        coop_return(-2);
    coop_await(my->status.value, together);
    if (my->status.value != 0)
        coop_return(-3);
    coop_await(my->status.value, through_a_door);
    if (my->status.value != 6)
        coop_return(-4);
    coop_trap(coop_void, Exit, .value = my->v);
    coop_end;
}

static int by_hand(void)
{
    coop_coroutine *co = coop_create(shared, .n = 5);
    coop_value out = 0;
    int step = coop_co_next(co, &out);
    if (step != COOP_YIELDED || out != 5)
        return 1;
    step = coop_co_send(co, 41, &out);
    if (step != COOP_YIELDED || out != 42)
        return 2;
    step = coop_co_next(co, &out);
    return step == COOP_RETURNED && out == 10 && coop_co_free(co) == 0 ? 0 : 3;
}

int main(void)
{
    int wrong = by_hand();
    coop_value v = coop_main(everything);
    printf("coop %s: %d %d %d\n", COOP_VERSION, wrong, (int)v, COOP_S(1) > COOP_MS(999));
    return wrong != 0 || v != 42 || coop_main(COOP_FIBER(starts, &wrong)) <= 0;
}
