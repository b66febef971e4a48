#include "server.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What every program here has, and how it prints a line. */
#define PROGRAM struct job *job; coop_value r; char text[160];
#define SAY(...)                                                                    \
    do {                                                                            \
        snprintf(my->text, sizeof my->text, __VA_ARGS__);                           \
        coop_trap(my->r, Print, .to = &my->job->client->output,                     \
                  .tag = my->job->tag, .text = my->text);                           \
        if (my->r < 0)                                                              \
            coop_return(my->r);                                                     \
    } while (0)

#define START(NAME)                                                                 \
    static coop_coroutine *NAME##_start(struct job *job)                            \
    {                                                                               \
        return coop_create(NAME, .job = job);                                       \
    }

void job_begin(struct job *job, const char *name)
{
    job->tid = coop_self();
    snprintf(job->tag, sizeof job->tag, "[%td %s] ", job->tid, name);
}

/* ---- count, primes, sleep, spinner, fail ---------------------------------------- */

coop_routine(count, PROGRAM int64_t i;)
{
    PROGRAM_BEGIN("count");
    for (my->i = 1; my->i <= my->job->number; my->i++) {
        SAY("%" PRId64, my->i);
        if (my->job->ns > 0)
            coop_trap(coop_void, Sleep, .ns = my->job->ns);
    }
    coop_return(my->job->number);
    coop_end;
}

static bool is_prime(int64_t n)
{
    for (int64_t i = 2; i * i <= n; i++)
        if (n % i == 0)
            return false;
    return n > 1;
}

/* Without a trap between them all numbers would be one slice: nobody else would run. */
coop_routine(primes, PROGRAM int64_t n; int found;)
{
    PROGRAM_BEGIN("primes");
    for (my->n = 2; my->n <= my->job->number; my->n++) {
        if (is_prime(my->n)) {
            my->found++;
            SAY("%" PRId64, my->n);
        } else
            coop_trap(coop_void, Yield);
    }
    coop_return(my->found);
    coop_end;
}

static const char *span(int64_t ns, char *buffer, size_t size)
{
    coop_text text = { .data = buffer, .size = size };

    coop_print_span(&text, ns);
    return buffer;
}

coop_routine(sleeper, PROGRAM char span[32];)
{
    PROGRAM_BEGIN("sleep");
    coop_trap(coop_void, Sleep, .ns = my->job->ns);
    SAY("slept %s", span(my->job->ns, my->span, sizeof my->span));
    coop_end;
}

coop_routine(spinner, PROGRAM unsigned turns;)
{
    PROGRAM_BEGIN("spinner");
    for (;;) {
        SAY("%c thinking", "|/-\\"[my->turns++ % 4]);
        coop_trap(coop_void, Sleep, .ns = my->job->ns);
    }
    coop_end;
}

coop_routine(fail, PROGRAM int unused;)
{
    PROGRAM_BEGIN("fail");
    coop_return(-my->job->number);
    coop_end;
}

/* ---- pingpong: two tasks and two queues ----------------------------------------- */

coop_routine(pong, PROGRAM struct lines *ping; char line[LINE_ROOM];)
{
    PROGRAM_BEGIN("pong");
    for (;;) {
        coop_trap(my->r, GetLine, .from = &my->job->input, .line = my->line);
        if (my->r < 0)
            coop_return(0);
        SAY("pong %.20s", my->line);
        coop_trap(my->r, PutLine, .to = my->ping, .text = my->line,
                  .len = strlen(my->line));
    }
    coop_finally;
    coop_trap(coop_void, PutLine, .to = my->ping, .end = true);
    coop_end;
}

coop_routine(pingpong, PROGRAM int64_t i; coop_tid pong; struct job other;
             char line[LINE_ROOM];)
{
    PROGRAM_BEGIN("pingpong");
    my->other = (struct job){ .client = my->job->client, .input.name = "pong" };
    my->pong = coop_spawn(pong, .job = &my->other, .ping = &my->job->input);
    for (my->i = 1; my->i <= my->job->number && my->pong > 0; my->i++) {
        SAY("ping %" PRId64, my->i);
        snprintf(my->line, sizeof my->line, "%" PRId64, my->i);
        coop_trap(coop_void, PutLine, .to = &my->other.input, .text = my->line,
                  .len = strlen(my->line));
        coop_trap(my->r, GetLine, .from = &my->job->input, .line = my->line);
        if (my->r < 0)
            coop_return(my->r);
    }
    coop_return(my->pong > 0 ? my->job->number : my->pong);
    coop_finally;
    if (my->pong > 0)
        coop_trap(coop_void, KillTask, .tid = my->pong, .wait = true);
    coop_end;
}

/* ---- echo ----------------------------------------------------------------------- */

coop_routine(echo, PROGRAM int count; char line[LINE_ROOM];)
{
    PROGRAM_BEGIN("echo");
    for (;;) {
        coop_trap(my->r, GetLine, .from = &my->job->input, .line = my->line);
        if (my->r < 0)
            coop_return(my->count);
        my->count++;
        coop_trap(my->r, Print, .to = &my->job->client->output, .tag = my->job->tag,
                  .text = my->line);
    }
    coop_finally;
    coop_trap(coop_void, PutLine, .to = &my->job->input, .end = true);
    coop_end;
}

START(count)
START(primes)
START(sleeper)
START(spinner)
START(fail)
START(pingpong)
START(echo)

const struct program programs[] = {
    { "count", "count [N [SECONDS]]", "count to N (10), with a rest after each (0)", "ns",
      .number = 10, .start = count_start },
    { "primes", "primes [N]", "the primes up to N (100)", "n", .number = 100,
      .start = primes_start },
    { "sleep", "sleep [SECONDS]", "sleep (1 second), then say so", "s", .ns = COOP_S(1),
      .start = sleeper_start },
    { "spinner", "spinner [SECONDS]", "turn, now and then (0.25), until it is killed", "s",
      .ns = COOP_MS(250), .start = spinner_start },
    { "fail", "fail [N]", "end with error number N (5)", "n", .number = 5,
      .start = fail_start },
    { "pingpong", "pingpong [N]", "two tasks that play N rounds (3)", "n", .number = 3,
      .start = pingpong_start },
    { "echo", "echo", "repeat what you say", "", .listens = true, .start = echo_start },
    { "chat", "chat NAME", "talk with all others who chat; say TEXT speaks", "w",
      .listens = true, .start = chat_start },
    { 0 }
};
