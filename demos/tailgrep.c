/* tailgrep FILE WORD - the lines with a word in them, as they are appended to a file

   tail -f FILE | grep WORD as a pipeline of coroutines (the course: follow, grep, printer).
   follow is a task, since it reads and sleeps; the other two take what is sent to them.

       follow -> grep -> printer

   A line counts when its newline has come. When the file becomes shorter it has been begun
   anew, and is read from its beginning. SIGINT and SIGTERM end it. */
#define _POSIX_C_SOURCE 200809L
#include <coop.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

coop_routine(printer, const char *line;)
{
    coop_begin;
    for (;;) {
        coop_yield(my->line, 0);
        puts(my->line);
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

struct lines {
    size_t used;
    char text[8192];
};

/* Send on the lines that are complete; one that fills all the room counts as complete. */
static void send_lines(struct lines *lines, coop_coroutine *target)
{
    char *from = lines->text, *end = lines->text + lines->used, *newline;

    while ((newline = memchr(from, '\n', (size_t)(end - from)))) {
        *newline = '\0';
        coop_co_send(target, (coop_value)from, NULL);
        from = newline + 1;
    }
    if (from == lines->text && lines->used == sizeof lines->text - 1) {
        *end = '\0';
        coop_co_send(target, (coop_value)from, NULL);
        from = end;
    }
    lines->used = (size_t)(end - from);
    memmove(lines->text, from, lines->used);
}

coop_routine(follow, const char *path; coop_coroutine *target; int fd; int64_t at;
             coop_value n; coop_stat stat; struct lines lines;)
{
    coop_begin;
    my->fd = -1;
    coop_trap(my->fd, Open, .path = my->path, .flags = O_RDONLY);
    if (my->fd < 0)
        coop_return(my->fd);
    coop_trap(my->n, Stat, .fd = my->fd, .stat = &my->stat);
    my->at = my->stat.size;
    fprintf(stderr, "following %s\n", my->path);
    while (my->n >= 0) {
        coop_trap(my->n, Pread, .fd = my->fd, .at = my->at,
                  .buf = my->lines.text + my->lines.used,
                  .len = sizeof my->lines.text - 1 - my->lines.used);
        if (my->n > 0) {
            my->at += my->n;
            my->lines.used += (size_t)my->n;
            send_lines(&my->lines, my->target);
            continue;
        }
        coop_trap(coop_void, Sleep, .ns = COOP_MS(100));
        coop_trap(my->n, Stat, .fd = my->fd, .stat = &my->stat);
        if (my->n == 0 && my->stat.size < my->at) {
            fprintf(stderr, "%s begins anew\n", my->path);
            my->at = 0;
            my->lines.used = 0;
        }
    }
    coop_return(my->n);
    coop_finally;
    if (my->fd >= 0)
        coop_trap(coop_void, Close, .fd = my->fd);
    coop_end;
}

coop_routine(stopper, coop_tid tid;)
{
    coop_begin;
    coop_trap(coop_void, SignalWait, .signals = COOP_SIGNAL(SIGINT) | COOP_SIGNAL(SIGTERM));
    coop_trap(coop_void, KillTask, .tid = my->tid, .wait = true);
    coop_end;
}

coop_routine(tailgrep, const char *path; coop_coroutine *target; coop_tid follower, stopper;
             coop_value r;)
{
    coop_begin;
    coop_trap(my->follower, NewTask,
              .target = coop_create(follow, .path = my->path, .target = my->target));
    my->stopper = coop_spawn(stopper, .tid = my->follower);
    coop_trap(my->r, WaitTask, .tid = my->follower);
    coop_trap(coop_void, KillTask, .tid = my->stopper, .wait = true);
    coop_return(my->r);
    coop_end;
}

static coop_coroutine *primed(coop_coroutine *co)
{
    coop_co_next(co, NULL);
    return co;
}

int main(int argc, char **argv)
{
    coop_coroutine *print, *found;
    coop_value r;

    if (argc != 3) {
        fputs("usage: tailgrep FILE WORD\n", stderr);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    print = primed(coop_create(printer));
    found = primed(coop_create(grep, .word = argv[2], .target = print));
    r = coop_main(tailgrep, .path = argv[1], .target = found);
    coop_co_free(found);
    coop_co_free(print);
    if (r == -ECANCELED)
        return 0;
    fprintf(stderr, "tailgrep: %s: %s\n", argv[1], strerror((int)-r));
    return 1;
}
