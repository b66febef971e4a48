/* coop_serve: who is let in, what happens to those inside when it stops, and that it gets
   over what the host refuses. */
#include "bothends.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the clients of a test have in common. */
struct hall {
    int inside, most, begun, ended, failed, killed;
    bool refuse;
};

/* Answers each line with itself. "quit" ends it, "fail" with an error, "slow" late. */
coop_routine(guest, int fd; struct hall *hall; coop_stream *s; coop_value n; char *line;)
{
    coop_begin;
    my->s = coop_stream_open(my->fd, 0);
    my->hall->begun++;
    if (++my->hall->inside > my->hall->most)
        my->hall->most = my->hall->inside;
    for (;;) {
        coop_await(my->n, coop_read_line, .stream = my->s, .line = &my->line);
        if (my->n <= 0 || !strcmp(my->line, "quit"))
            break;
        if (!strcmp(my->line, "fail"))
            coop_return(-EPROTO);
        if (!strcmp(my->line, "slow"))
            coop_trap(coop_void, Sleep, .ns = COOP_MS(40));
        coop_stream_print(my->s, "%s\n", my->line);
    }
    coop_finally;
    my->hall->inside--;
    coop_await(coop_void, coop_stream_close, .stream = my->s, .fd = my->fd);
    coop_end;
}

static coop_coroutine *let_in(int fd, const char *peer, void *arg)
{
    struct hall *hall = arg;
    CU_ASSERT(!strncmp(peer, "127.0.0.1:", 10));
    return hall->refuse ? NULL : coop_create(guest, .fd = fd, .hall = hall);
}

static void see_off(const coop_status *status, void *arg)
{
    struct hall *hall = arg;
    hall->ended++;
    hall->failed += status->end == COOP_FAILED;
    hall->killed += status->end == COOP_KILLED;
}

coop_routine(server, int fd; struct hall *hall; size_t max; int64_t grace; coop_value r;)
{
    coop_begin;
    coop_await(my->r, coop_serve, .fd = my->fd, .client = let_in, .ended = see_off,
               .arg = my->hall, .max = my->max, .grace = my->grace);
    coop_return(my->r);
    coop_end;
}

coop_routine(start, struct hall *hall; char *at; size_t size, max; int64_t grace;
             int *listener; int fd; coop_value tid;)
{
    coop_begin;
    coop_await(my->fd, coop_listen, .address = "tcp://127.0.0.1:0", .bound = my->at,
               .bound_size = my->size);
    CU_ASSERT_FATAL(my->fd >= 0);
    *my->listener = my->fd;
    coop_trap(my->tid, NewTask,
              .target = coop_create(server, .fd = my->fd, .hall = my->hall, .max = my->max,
                                    .grace = my->grace));
    coop_return(my->tid);
    coop_end;
}

/* Sends a line, and gives the length of what comes back. */
coop_routine(ask, int fd; const char *line; size_t got; coop_value n; char buf[64];)
{
    coop_begin;
    coop_trap(my->n, Send, .fd = my->fd, .buf = my->line, .len = strlen(my->line));
    do {
        coop_trap(my->n, Recv, .fd = my->fd, .buf = my->buf + my->got,
                  .len = sizeof my->buf - my->got);
        my->got += my->n > 0 ? (size_t)my->n : 0;
    } while (my->n > 0 && my->buf[my->got - 1] != '\n');
    if (my->n < 0)
        coop_return(my->n);
    CU_ASSERT(my->got == 0 || my->got == strlen(my->line));
    IS(memcmp(my->buf, my->line, my->got), 0);
    coop_return(my->got);
    coop_end;
}

/* ---- Serving */

enum { GUESTS = 12 };

coop_routine(serve_some, struct hall hall; int listener, i, fds[GUESTS]; coop_tid tid, own;
             coop_value n; coop_status status; char at[64];)
{
    coop_begin;
    coop_await(my->tid, start, .hall = &my->hall, .at = my->at, .size = sizeof my->at,
               .listener = &my->listener, .grace = COOP_S(5));
    for (my->i = 0; my->i < GUESTS; my->i++) {
        coop_await(my->n, coop_dial, .address = my->at);
        my->fds[my->i] = (int)my->n;
    }
    for (my->i = 0; my->i < GUESTS; my->i++) {
        coop_await(my->n, ask, .fd = my->fds[my->i], .line = "hello\n");
        IS(my->n, 6);
    }
    IS(my->hall.inside, GUESTS);
    coop_await(my->n, ask, .fd = my->fds[0], .line = "fail\n");
    IS(my->n, 0);
    coop_await(my->n, ask, .fd = my->fds[1], .line = "quit\n");
    IS(my->n, 0);
    coop_await(my->n, ask, .fd = my->fds[2], .line = "still there\n");
    IS(my->n, 12);
    coop_await(coop_void, rest);
    IS(my->hall.inside, GUESTS - 2);
    IS(my->hall.ended, 2);
    IS(my->hall.failed, 1);
    for (my->i = 0; my->i < GUESTS; my->i++)
        coop_trap(coop_void, Close, .fd = my->fds[my->i]);
    coop_trap(my->n, Close, .fd = my->listener);
    IS(my->n, 0);
    coop_trap(my->n, WaitTask, .tid = my->tid, .status = &my->status);
    IS(my->status.end, COOP_OK);
    IS(my->hall.ended, GUESTS);
    IS(my->hall.killed, 0);
    coop_end;
}

static void serves_many_and_survives_their_failures(void)
{
    ON_BOTH(0, serve_some);
}

coop_routine(never_more, struct hall hall; int listener, i, j, fds[GUESTS]; coop_tid tid;
             coop_value n; char at[64];)
{
    coop_begin;
    coop_await(my->tid, start, .hall = &my->hall, .at = my->at, .size = sizeof my->at,
               .listener = &my->listener, .grace = COOP_S(5), .max = 3);
    for (my->i = 0; my->i < GUESTS; my->i++) {
        coop_await(my->n, coop_dial, .address = my->at);
        my->fds[my->i] = (int)my->n;
    }
    coop_await(coop_void, rest);
    coop_await(coop_void, rest);
    IS(my->hall.begun, 3);
    for (my->i = 0; my->i < GUESTS; my->i++) {
        coop_await(my->n, ask, .fd = my->fds[my->i], .line = "hello\n");
        IS(my->n, 6);
        coop_trap(coop_void, Close, .fd = my->fds[my->i]);
    }
    coop_trap(coop_void, Close, .fd = my->listener);
    coop_trap(my->n, WaitTask, .tid = my->tid);
    IS(my->n, 0);
    IS(my->hall.most, 3);
    IS(my->hall.ended, GUESTS);
    coop_end;
}

static void never_more_than_max(void)
{
    ON_BOTH(0, never_more);
}

coop_routine(refused, struct hall hall; int listener; coop_tid tid; coop_value n;
             char at[64];)
{
    coop_begin;
    my->hall.refuse = true;
    coop_await(my->tid, start, .hall = &my->hall, .at = my->at, .size = sizeof my->at,
               .listener = &my->listener);
    coop_await(my->n, coop_dial, .address = my->at);
    my->hall.inside = (int)my->n;
    coop_trap(my->n, Recv, .fd = my->hall.inside, .buf = my->at, .len = 1);
    IS(my->n, 0);
    coop_trap(coop_void, Close, .fd = my->hall.inside);
    coop_trap(coop_void, Close, .fd = my->listener);
    coop_trap(my->n, WaitTask, .tid = my->tid);
    IS(my->n, 0);
    IS(my->hall.ended, 0);
    coop_end;
}

static void client_that_cannot_be_had(void)
{
    ON_BOTH(0, refused);
}

coop_routine(not_listening, int here, there; coop_value r;)
{
    coop_begin;
    coop_await(coop_void, both_ends, .here = &my->here, .there = &my->there);
    coop_await(my->r, coop_serve, .fd = 4000, .client = let_in);
    IS(my->r, -EBADF);
    coop_await(my->r, coop_serve, .fd = my->here, .client = let_in);
    IS(my->r, -EINVAL);
    coop_await(my->r, coop_serve, .fd = my->there);
    IS(my->r, -EFAULT);
    coop_trap(my->r, Close, .fd = my->here);
    IS(my->r, -EBADF);
    coop_trap(my->r, Close, .fd = my->there);
    IS(my->r, -EBADF);
    coop_end;
}

static void descriptors_that_do_not_listen(void)
{
    ON_BOTH(0, not_listening);
}

/* ---- Stopping */

enum { SLOW = 3 };

coop_routine(stopping, size_t max; int64_t grace; bool slow; int ms, killed;
             struct hall hall; int listener, i, fds[SLOW]; coop_tid tid; coop_value n;
             int64_t began, now; char at[64];)
{
    coop_begin;
    coop_await(my->tid, start, .hall = &my->hall, .at = my->at, .size = sizeof my->at,
               .listener = &my->listener, .grace = my->grace, .max = my->max);
    for (my->i = 0; my->i < SLOW; my->i++) {
        coop_await(my->n, coop_dial, .address = my->at);
        my->fds[my->i] = (int)my->n;
        coop_trap(coop_void, Send, .fd = my->fds[my->i], .buf = "slow\nquit\n",
                  .len = my->slow ? 10 : 0);
    }
    coop_await(coop_void, rest);
    coop_await(coop_void, rest);
    IS(my->hall.inside, SLOW);
    coop_trap(coop_void, Now, .at = &my->began);
    coop_trap(my->n, Close, .fd = my->listener);
    IS(my->n, 0);
    coop_trap(my->n, WaitTask, .tid = my->tid);
    IS(my->n, 0);
    coop_trap(coop_void, Now, .at = &my->now);
    if (my->ms >= 0)
        IS((my->now - my->began + COOP_US(500)) / COOP_MS(1), my->ms);
    IS(my->hall.inside, 0);
    IS(my->hall.ended, SLOW);
    IS(my->hall.killed, my->killed);
    for (my->i = 0; my->i < SLOW; my->i++) {
        coop_trap(my->n, Recv, .fd = my->fds[my->i], .buf = my->at, .len = 6);
        IS(my->n > 0, !my->killed);
        coop_trap(coop_void, Close, .fd = my->fds[my->i]);
    }
    coop_end;
}

static void stop_waits_for_slow_clients(void)
{
    OUTSIDE(0, stopping, .slow = true, .grace = COOP_S(50), .ms = -1);
    for (size_t max = 0; max <= SLOW; max += SLOW) {
        ON_SIM(0, stopping, .slow = true, .grace = COOP_S(50), .max = max, .ms = 40);
        ON_SIM(0, stopping, .slow = true, .grace = -1, .max = max, .ms = 40);
    }
}

static void stop_kills_those_who_stay(void)
{
    OUTSIDE(0, stopping, .grace = COOP_MS(5), .killed = SLOW, .ms = -1);
    OUTSIDE(0, stopping, .grace = COOP_MS(5), .killed = SLOW, .ms = -1, .max = SLOW);
    OUTSIDE(0, stopping, .killed = SLOW, .ms = -1, .max = SLOW);
    for (size_t max = 0; max <= SLOW; max += SLOW) {
        ON_SIM(0, stopping, .slow = true, .grace = COOP_MS(20), .max = max, .ms = 20,
               .killed = SLOW);
        ON_SIM(0, stopping, .grace = COOP_S(20), .max = max, .ms = 20000, .killed = SLOW);
        ON_SIM(0, stopping, .grace = 0, .max = max, .killed = SLOW);
    }
}

/* The server is killed when it has got so far. */
coop_routine(killed_server, int steps; size_t max; struct hall hall;
             int listener, i, fds[2]; coop_tid tid; coop_value n; char at[64];)
{
    coop_begin;
    coop_await(my->tid, start, .hall = &my->hall, .at = my->at, .size = sizeof my->at,
               .listener = &my->listener, .grace = COOP_S(50), .max = my->max);
    for (my->i = 0; my->i < 2; my->i++) {
        coop_await(my->n, coop_dial, .address = my->at);
        CU_ASSERT(my->n >= 0);
        my->fds[my->i] = (int)my->n;
    }
    for (my->i = 0; my->i < my->steps; my->i++)
        coop_trap(coop_void, Yield);
    coop_trap(my->n, KillTask, .tid = my->tid, .wait = true);
    IS(my->n, 0);
    IS(my->hall.inside, 0);
    IS(my->hall.begun, my->hall.ended);
    coop_trap(my->n, Close, .fd = my->listener);
    IS(my->n, -EBADF);
    coop_await(my->n, coop_dial, .address = my->at);
    IS(my->n, -ECONNREFUSED);
    for (my->i = 0; my->i < 2; my->i++) {
        coop_trap(my->n, Recv, .fd = my->fds[my->i], .buf = my->at, .len = 1);
        CU_ASSERT(my->n == 0 || my->n == -ECONNRESET);
        coop_trap(coop_void, Close, .fd = my->fds[my->i]);
    }
    CU_ASSERT(coop_tasks(NULL, 0) <= 2);
    coop_end;
}

static void killed_server_leaves_nothing(void)
{
    for (int steps = 0; steps < 25; steps++) {
        ON_BOTH(0, killed_server, .steps = steps);
        ON_BOTH(0, killed_server, .steps = steps, .max = 1);
    }
}

/* ---- What the host refuses */

static int refusal, tries;
static int (*real_accept)(coop_machine *, int, bool *);

static int refused_accept(coop_machine *m, int fd, bool *stream)
{
    tries++;
    return refusal ? refusal : real_accept(m, fd, stream);
}

coop_routine(storm, int error; struct hall hall; int listener; coop_tid tid;
             coop_value n, fd; char at[64];)
{
    coop_begin;
    coop_await(my->tid, start, .hall = &my->hall, .at = my->at, .size = sizeof my->at,
               .listener = &my->listener, .grace = -1);
    coop_await(my->fd, coop_dial, .address = my->at);
    coop_await(my->n, ask, .fd = (int)my->fd, .line = "hello\n");
    IS(my->n, 6);
    real_accept = coop_this->machine->accept;
    coop_this->machine->accept = refused_accept;
    refusal = my->error;
    tries = 0;
    coop_await(my->n, coop_dial, .address = my->at);
    my->hall.most = (int)my->n;
    coop_trap(coop_void, Sleep, .ns = COOP_MS(1050));
    IS(tries, 11);
    IS(my->hall.begun, 1);
    /* When a client ends there may be a descriptor again. */
    coop_await(my->n, ask, .fd = (int)my->fd, .line = "quit\n");
    coop_await(coop_void, rest);
    coop_await(coop_void, rest);
    IS(tries, 12);
    refusal = 0;
    coop_await(my->n, ask, .fd = my->hall.most, .line = "hello\n");
    IS(my->n, 6);
    refusal = my->error;
    coop_this->machine->accept = real_accept;
    coop_trap(coop_void, Close, .fd = my->hall.most);
    coop_trap(coop_void, Close, .fd = (int)my->fd);
    coop_trap(coop_void, Close, .fd = my->listener);
    coop_trap(my->n, WaitTask, .tid = my->tid);
    IS(my->n, 0);
    IS(my->hall.ended, 2);
    coop_end;
}

static void waits_when_no_descriptor_is_left(void)
{
    const int errors[] = { -EMFILE, -ENFILE, -ENOBUFS, -ENOMEM };
    for (int i = 0; i < 4; i++)
        ON_SIM(0, storm, .error = errors[i]);
}

/* The server is stopped while it waits for a descriptor. */
coop_routine(stop_in_storm, struct hall hall; int listener; coop_tid tid; coop_value n, fd;
             char at[64];)
{
    coop_begin;
    coop_await(my->tid, start, .hall = &my->hall, .at = my->at, .size = sizeof my->at,
               .listener = &my->listener, .grace = COOP_S(1));
    real_accept = coop_this->machine->accept;
    coop_this->machine->accept = refused_accept;
    refusal = -EMFILE;
    coop_await(my->fd, coop_dial, .address = my->at);
    coop_await(coop_void, rest);
    tries = 0;
    coop_trap(coop_void, Close, .fd = my->listener);
    coop_trap(my->n, WaitTask, .tid = my->tid);
    IS(my->n, 0);
    IS(tries, 0);
    coop_this->machine->accept = real_accept;
    coop_trap(coop_void, Close, .fd = (int)my->fd);
    coop_end;
}

static void stops_in_a_storm(void)
{
    ON_BOTH(0, stop_in_storm);
}

/* Really none left: those who connect wait until one is. */
coop_routine(no_descriptors, struct hall hall; int listener, fds[2]; coop_tid tid;
             coop_value n; char at[64];)
{
    coop_begin;
    coop_await(my->tid, start, .hall = &my->hall, .at = my->at, .size = sizeof my->at,
               .listener = &my->listener, .grace = -1);
    coop_await(my->n, coop_dial, .address = my->at);
    my->fds[0] = (int)my->n;
    coop_await(my->n, ask, .fd = my->fds[0], .line = "one\n");
    IS(my->n, 4);
    coop_await(my->n, coop_dial, .address = my->at);
    my->fds[1] = (int)my->n;
    allow_no_more_descriptors();
    coop_trap(coop_void, Send, .fd = my->fds[1], .buf = "two\n", .len = 4);
    coop_await(coop_void, rest);
    coop_await(coop_void, rest);
    coop_await(my->n, ask, .fd = my->fds[0], .line = "one\n");
    IS(my->n, 4);
    allow_descriptors_again();
    coop_trap(my->n, Recv, .fd = my->fds[1], .buf = my->at, .len = 4);
    IS(my->n, 4);
    coop_trap(coop_void, Close, .fd = my->fds[0]);
    coop_trap(coop_void, Close, .fd = my->fds[1]);
    coop_trap(coop_void, Close, .fd = my->listener);
    coop_trap(my->n, WaitTask, .tid = my->tid);
    IS(my->n, 0);
    IS(my->hall.ended, 2);
    coop_end;
}

static void really_no_descriptor_left(void)
{
    if (!under_valgrind())
        OUTSIDE(0, no_descriptors);
}

/* ---- Somebody else ends a client, and is told instead of the server */

static coop_tid find_task(const char *name)
{
    coop_tid tids[64];
    coop_value n = coop_tasks(tids, 64);
    coop_info info;
    while (n-- > 0)
        if (coop_inspect(tids[n], &info) == 0 && !strcmp(info.name, name))
            return tids[n];
    return 0;
}

coop_routine(others_kill, int max; struct hall hall; int listener, i, fds[GUESTS];
             coop_tid tid; coop_value n; char at[64];)
{
    coop_begin;
    coop_await(my->tid, start, .hall = &my->hall, .at = my->at, .size = sizeof my->at,
               .listener = &my->listener, .grace = -1, .max = (size_t)my->max);
    for (my->i = 0; my->i <= my->max; my->i++) {
        coop_await(my->n, coop_dial, .address = my->at);
        my->fds[my->i] = (int)my->n;
    }
    coop_await(my->n, ask, .fd = my->fds[0], .line = "one\n");
    IS(my->n, 4);
    coop_trap(my->n, KillTask, .tid = find_task("guest"), .wait = true);
    IS(my->n, 0);
    coop_await(my->n, ask, .fd = my->fds[my->max], .line = "two\n");
    IS(my->n, 4);
    IS(my->hall.begun, my->max + 1);
    for (my->i = 0; my->i <= my->max; my->i++)
        coop_trap(coop_void, Close, .fd = my->fds[my->i]);
    coop_trap(coop_void, Close, .fd = my->listener);
    coop_trap(my->n, WaitTask, .tid = my->tid);
    IS(my->n, 0);
    coop_end;
}

static void client_that_others_wait_for(void)
{
    ON_SIM(0, others_kill, .max = 1);
    ON_SIM(0, others_kill, .max = 9);
}

/* ---- Many */

enum { MANY = 10000 };

coop_routine(idle_guest, int fd; coop_stream *s; coop_value n; char *line;)
{
    coop_begin;
    my->s = coop_stream_open(my->fd, 0);
    for (;;) {
        coop_await(my->n, coop_read_line, .stream = my->s, .line = &my->line);
        if (my->n <= 0)
            break;
        coop_stream_print(my->s, "%s\n", my->line);
    }
    coop_finally;
    coop_await(coop_void, coop_stream_close, .stream = my->s, .fd = my->fd);
    coop_end;
}

static coop_coroutine *let_idle_in(int fd, const char *peer, void *arg)
{
    (void)peer, (void)arg;
    return coop_create(idle_guest, .fd = fd);
}

coop_routine(hold_many, int fd;)
{
    coop_begin;
    coop_await(coop_void, coop_serve, .fd = my->fd, .client = let_idle_in);
    coop_end;
}

coop_routine(many_guests, int *fds, i, listener; coop_tid tid; coop_value n; char at[64];)
{
    coop_begin;
    my->fds = calloc(MANY, sizeof *my->fds);
    coop_await(my->listener, coop_listen, .address = "tcp://127.0.0.1:0", .bound = my->at,
               .bound_size = sizeof my->at);
    coop_trap(my->tid, NewTask, .target = coop_create(hold_many, .fd = my->listener));
    for (my->i = 0; my->i < MANY; my->i++) {
        coop_await(my->n, coop_dial, .address = my->at);
        CU_ASSERT_FATAL(my->n >= 0);
        my->fds[my->i] = (int)my->n;
        coop_trap(coop_void, Send, .fd = my->fds[my->i], .buf = "x\n", .len = 2);
    }
    for (my->i = 0; my->i < MANY; my->i++) {
        coop_trap(my->n, Recv, .fd = my->fds[my->i], .buf = my->at, .len = 2);
        CU_ASSERT(my->n > 0);
    }
    IS(coop_tasks(NULL, 0), MANY + 5);
    coop_trap(coop_void, Close, .fd = my->listener);
    coop_trap(my->n, WaitTask, .tid = my->tid);
    IS(my->n, 0);
    for (my->i = 0; my->i < MANY; my->i++)
        coop_trap(coop_void, Close, .fd = my->fds[my->i]);
    free(my->fds);
    coop_end;
}

static void ten_thousand_connections(void)
{
    ON_SIM(0, many_guests);
}

static const suite_test tests[] = {
    TEST(serves_many_and_survives_their_failures),
    TEST(never_more_than_max),
    TEST(client_that_cannot_be_had),
    TEST(descriptors_that_do_not_listen),
    TEST(stop_waits_for_slow_clients),
    TEST(stop_kills_those_who_stay),
    TEST(killed_server_leaves_nothing),
    TEST(waits_when_no_descriptor_is_left),
    TEST(stops_in_a_storm),
    TEST(really_no_descriptor_left),
    TEST(client_that_others_wait_for),
    TEST(ten_thousand_connections),
};

int main(int argc, char **argv)
{
    return world_main("serve", tests, SUITE_COUNT(tests), argc, argv, "");
}
