/* bogus - a generator that takes values too (the course, part 1: a warning)

   Sending 3 restarts the count at 3, but send also gives the next value, and nobody
   looks at that one: 3 is never seen. Make or take values, not both in one. */
#include <coop.h>
#include <stdio.h>

coop_routine(countdown, int n, sent;)
{
    coop_begin;
    printf("Counting down from %d\n", my->n);
    while (my->n >= 0) {
        coop_yield(my->sent, my->n);
        my->n = my->sent ? my->sent : my->n - 1;
    }
    coop_end;
}

int main(void)
{
    coop_coroutine *numbers = coop_create(countdown, .n = 5);
    coop_value n;

    while (coop_co_next(numbers, &n) == COOP_YIELDED) {
        printf("%d\n", (int)n);
        if (n == 5)
            coop_co_send(numbers, 3, NULL);
    }
    return coop_co_free(numbers) < 0;
}
