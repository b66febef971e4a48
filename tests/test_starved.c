/* The library when memory is short: each allocation of a session fails once. Nobody hangs,
   and nothing is left. */
#include "bothends.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);

static unsigned long count, fails_at;      /* 0: none */
static int cleaning;               /* in coop_finally parts of the test: none fails */

static bool is_out(void)
{
    return fails_at && !cleaning && ++count == fails_at;
}

void *__wrap_malloc(size_t size)
{
    return is_out() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return is_out() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return is_out() ? NULL : __real_realloc(old, size);
}

coop_routine(guest, int fd; coop_stream *s; coop_value n; char *line;)
{
    coop_begin;
    my->s = coop_stream_open(my->fd, 300);
    for (;;) {
        coop_await(my->n, coop_read_line, .stream = my->s, .line = &my->line);
        if (my->n <= 0)
            break;
        coop_await(my->n, coop_write_frame, .stream = my->s, .buf = my->line,
                   .len = (size_t)my->n);
        if (my->n < 0)
            break;
    }
    coop_return(0);
    coop_finally;
    cleaning++;
    coop_await(coop_void, coop_stream_close, .stream = my->s, .fd = my->fd);
    cleaning--;
    coop_end;
}

static coop_coroutine *let_in(int fd, const char *peer, void *arg)
{
    (void)peer, (void)arg;
    return coop_create(guest, .fd = fd);
}

/* What a program might do; it gives up at the first error. */
coop_routine(visit, const char *at; int fd; coop_stream *s; coop_value n; char *frame;
             char buf[600];)
{
    coop_begin;
    coop_await(my->fd, coop_dial, .address = my->at, .timeout = COOP_S(5));
    if (my->fd < 0)
        coop_return(my->fd);
    my->s = coop_stream_open(my->fd, 300);
    my->n = coop_stream_print(my->s, "one\ntwo\n");
    if (my->n > 0)
        coop_await(my->n, coop_read_frame, .stream = my->s, .frame = &my->frame);
    if (my->n > 0)
        coop_await(my->n, coop_read_exact, .stream = my->s, .buf = my->buf, .len = 8);
    if (my->n > 0)
        coop_await(my->n, coop_write_all, .stream = my->s, .buf = my->buf, .len = 600);
    if (my->n > 0)
        coop_await(my->n, coop_drain, .stream = my->s);
    if (my->n >= 0)
        coop_await(my->n, coop_copy, .from = my->fd, .to = my->fd, .len = 1);
    coop_return(my->n < 0 ? my->n : 0);
    coop_finally;
    cleaning++;
    if (my->fd >= 0)
        coop_await(coop_void, coop_stream_close, .stream = my->s, .fd = my->fd,
                   .linger = COOP_MS(1));
    cleaning--;
    coop_end;
}

/* Its clients visit in a task of their own; its end closes the listener. */
coop_routine(visitors, const char *at; int listener, i; coop_value n;)
{
    coop_begin;
    for (my->i = 0; my->i < 3; my->i++)
        coop_await(my->n, visit, .at = my->at);
    coop_return(0);
    coop_finally;
    coop_trap(coop_void, Close, .fd = my->listener);
    coop_end;
}

coop_routine(session, int fd; coop_value r; char at[64];)
{
    coop_begin;
    coop_await(my->fd, coop_listen, .address = "tcp://localhost:0", .bound = my->at,
               .bound_size = sizeof my->at);
    if (my->fd < 0)
        coop_return(0);
    memmove(my->at + 6 + 9, strrchr(my->at, ':'), strlen(strrchr(my->at, ':')) + 1);
    memcpy(my->at + 6, "localhost", 9);
    if (coop_spawn(visitors, .at = my->at, .listener = my->fd) < 0)
        coop_trap(coop_void, Close, .fd = my->fd);
    coop_await(my->r, coop_serve, .fd = my->fd, .client = let_in, .max = 2,
               .grace = COOP_MS(1));
    if (my->r < 0)
        coop_trap(coop_void, Close, .fd = my->fd);      /* perhaps it did not begin */
    coop_trap(coop_void, Sleep, .ns = COOP_S(1));
    coop_return(0);
    coop_end;
}

/* From the first to the one that the session does not come to. */
static void one_allocation_fails(void)
{
    unsigned long n = 0;
    do {
        both_open("sim:1");
        count = 0;
        fails_at = ++n;
        coop_value r = coop_main(session);
        fails_at = 0;
        CU_ASSERT(r == 0 || r == -ENOMEM);
        IS(coop_this ? coop_this->living : 0, 0);
        IS(coop_sched_close(), 0);
    } while (count >= n && n < 2000);
    CU_ASSERT(n > 50 && n < 2000);
}

static const suite_test tests[] = {
    TEST(one_allocation_fails),
};

int main(int argc, char **argv)
{
    return suite_main("starved", tests, SUITE_COUNT(tests), argc, argv);
}
