/* copipe WORD... - lines of standard input with a word in them (the course, part 2)

   A push pipeline: lines go in at one end, each stage sends on what it lets through.
   With several words the lines are broadcast to one grep each, and all greps send to one
   printer: copipe and cobroadcast of the course. A line with two of the words is printed
   twice.

       source -> broadcast -+-> grep python -+-> printer
                            +-> grep ply ----+                                  */
#include <coop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

coop_routine(printer, const char *line;)
{
    coop_begin;
    for (;;) {
        coop_yield(my->line, 0);
        fputs(my->line, stdout);
    }
    coop_end;
}

coop_routine(grep, const char *word, *line; coop_coroutine *target;)
{
    coop_begin;
    for (;;) {
        coop_yield(my->line, 0);
        if (strstr(my->line, my->word))
            coop_co_send(my->target, (coop_value)my->line, NULL);
    }
    coop_end;
}

coop_routine(broadcast, coop_coroutine **targets; int count; coop_value line;)
{
    coop_begin;
    for (;;) {
        coop_yield(my->line, 0);
        for (int i = 0; i < my->count; i++)
            coop_co_send(my->targets[i], my->line, NULL);
    }
    coop_end;
}

static coop_coroutine *primed(coop_coroutine *co)
{
    coop_co_next(co, NULL);
    return co;
}

static void source(FILE *lines, coop_coroutine *target)
{
    char line[4096];

    while (fgets(line, sizeof line, lines))
        coop_co_send(target, (coop_value)line, NULL);
}

int main(int argc, char **argv)
{
    int count = argc - 1;
    coop_coroutine **greps = calloc((size_t)argc, sizeof *greps);
    coop_coroutine *print = primed(coop_create(printer)), *all;

    if (!greps)
        return 1;
    for (int i = 0; i < count; i++)
        greps[i] = primed(coop_create(grep, .word = argv[i + 1], .target = print));
    all = primed(coop_create(broadcast, .targets = greps, .count = count));
    source(stdin, all);
    coop_co_free(all);
    for (int i = 0; i < count; i++)
        coop_co_free(greps[i]);
    coop_co_free(print);
    free(greps);
    return 0;
}
