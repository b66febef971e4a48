/* grep - a coroutine that takes values (the course, part 1: grep and grepclose)

   The other way round from a generator: it waits at coop_yield for what is sent in. The
   first next only takes it there. Closing it runs its coop_finally part. */
#include <coop.h>
#include <stdio.h>
#include <string.h>

coop_routine(grep, const char *pattern, *line;)
{
    coop_begin;
    printf("Looking for %s\n", my->pattern);
    for (;;) {
        coop_yield(my->line, 0);
        if (strstr(my->line, my->pattern))
            puts(my->line);
    }
    coop_finally;
    puts("Going away. Goodbye");
    coop_end;
}

int main(void)
{
    coop_coroutine *g = coop_create(grep, .pattern = "python");

    coop_co_next(g, NULL);
    coop_co_send(g, (coop_value)"nothing of interest here", NULL);
    coop_co_send(g, (coop_value)"snakes in general", NULL);
    coop_co_send(g, (coop_value)"python generators rock!", NULL);
    coop_co_close(g);
    return coop_co_free(g) < 0;
}
