/* generators - ranges, endless ones, delegation, and the handshake of send and yield

   A line each. What a generator awaits may yield in its place: both() has no
   loop of its own. A coroutine that has not begun waits for no value, so sending one is an
   error, which is told apart from a value by its sign. */
#include <coop.h>
#include <stdio.h>
#include <string.h>

coop_routine(range, int from, to, step;)
{
    coop_begin;
    for (; my->from < my->to; my->from += my->step)
        coop_yield(coop_void, my->from);
    coop_end;
}

coop_routine(naturals, int n;)
{
    coop_begin;
    for (;; my->n++)
        coop_yield(coop_void, my->n);
    coop_end;
}

coop_routine(both, int half;)
{
    coop_begin;
    coop_await(coop_void, range, .to = my->half, .step = 1);
    coop_await(coop_void, range, .from = my->half, .to = 2 * my->half, .step = 1);
    coop_end;
}

coop_routine(echo, const char *heard;)
{
    coop_begin;
    coop_yield(my->heard, "ready");
    coop_yield(coop_void, my->heard);
    coop_end;
}

static void print_up_to(coop_value last, coop_coroutine *numbers)
{
    const char *between = "";
    coop_value n;

    while (coop_co_next(numbers, &n) == COOP_YIELDED && n <= last) {
        printf("%s%d", between, (int)n);
        between = " ";
    }
    putchar('\n');
    coop_co_free(numbers);
}

static void shake_hands(coop_coroutine *co)
{
    coop_value said;
    int r = coop_co_send(co, (coop_value)"hi", &said);

    printf("too early: %s\n", strerror(-r));
    coop_co_next(co, &said);
    puts((const char *)said);
    coop_co_send(co, (coop_value)"hi", &said);
    puts((const char *)said);
    if (coop_co_next(co, &said) == COOP_RETURNED)
        puts("StopIteration");
    coop_co_free(co);
}

int main(void)
{
    print_up_to(100, coop_create(range, .from = 1, .to = 10, .step = 2));
    print_up_to(10, coop_create(naturals));
    print_up_to(100, coop_create(both, .half = 10));
    shake_hands(coop_create(echo));
    return 0;
}
