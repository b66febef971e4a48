/* countdown - a generator (the course, part 1)

   It makes one value each time that it is asked, and ends when there are no more. */
#include <coop.h>
#include <stdio.h>

coop_routine(countdown, int n;)
{
    coop_begin;
    printf("Counting down from %d\n", my->n);
    for (; my->n > 0; my->n--)
        coop_yield(coop_void, my->n);
    puts("Done counting down");
    coop_end;
}

int main(void)
{
    coop_coroutine *numbers = coop_create(countdown, .n = 10);
    coop_value n;

    while (coop_co_next(numbers, &n) == COOP_YIELDED)
        printf("%d\n", (int)n);
    return coop_co_free(numbers) < 0;
}
