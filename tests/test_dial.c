/* Listening and connecting by name: which addresses are tried, when, and what is left. */
#include "bothends.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- A resolver that says what the test wants, and what is made of it */

static const char *found;          /* addresses, with blanks between; "": no such name */
static int (*real_connect)(coop_machine *, const coop_spot *);
static int64_t began;

static int resolve(coop_machine *m, const char *name, coop_address *addresses, int max)
{
    int n = 0, len = 0;
    (void)m;
    CU_ASSERT_STRING_EQUAL(name, "somewhere");
    for (const char *at = found; n < max; at += len, n++)
        if (sscanf(at, "%55s%n", addresses[n].text, &len) != 1)
            break;
    return n ? n : -ENOENT;
}

/* Each attempt is logged: MS:HOST. */
static int logged_connect(coop_machine *m, const coop_spot *spot)
{
    say("%d:%s", (int)((m->now(m) - began) / COOP_MS(1)), spot->host);
    return real_connect(m, spot);
}

static void be_told(const char *addresses)
{
    coop_machine *m = coop_this->machine;
    found = addresses;
    m->resolve = resolve;
    real_connect = m->connect;
    m->connect = logged_connect;
    began = m->now(m);
}

/* ---- On the simulated machine, where time can be told exactly */

/* An address whose queue is full: who connects there waits. */
coop_routine(dead, const char *address; int *listener, *filler; coop_value r;)
{
    coop_begin;
    coop_trap(*my->listener, Listen, .address = my->address, .backlog = 1);
    CU_ASSERT(*my->listener >= 0);
    coop_trap(*my->filler, Connect, .address = my->address);
    CU_ASSERT(*my->filler >= 0);
    coop_end;
}

/* 10.0.0.1 to 3 and [::1] do not answer, 127.0.0.1 does, and others refuse. */
coop_routine(eyeballs, const char *found, *log; int64_t timeout; int ms;
             coop_value expected; int listeners[5], fillers[4], i; coop_value fd;
             int64_t now; bool connected; char buf[1];)
{
    coop_begin;
    static const char *const dead_ones[] = {
        "tcp://10.0.0.1:99", "tcp://10.0.0.2:99", "tcp://10.0.0.3:99", "tcp://[::1]:99"
    };
    for (my->i = 0; my->i < 4; my->i++)
        coop_await(coop_void, dead, .address = dead_ones[my->i],
                   .listener = &my->listeners[my->i], .filler = &my->fillers[my->i]);
    coop_trap(my->listeners[4], Listen, .address = "tcp://127.0.0.1:99");
    be_told(my->found);
    coop_await(my->fd, coop_dial, .address = "tcp://somewhere:99", .timeout = my->timeout);
    coop_trap(coop_void, Now, .at = &my->now);
    IS((my->now - began) / COOP_MS(1), my->ms);
    LOG_IS(my->log);
    my->connected = my->fd >= 0;
    IS(my->connected ? 0 : my->fd, my->expected);
    coop_this->machine->connect = real_connect;
    if (my->connected) {
        coop_trap(my->i, Accept, .fd = my->listeners[4]);
        coop_trap(coop_void, Close, .fd = (int)my->fd);
        coop_trap(my->fd, Recv, .fd = my->i, .buf = my->buf, .len = 1);
        IS(my->fd, 0);
        coop_trap(coop_void, Close, .fd = my->i);
    }
    for (my->i = 0; my->i < 4; my->i++)
        coop_trap(coop_void, Close, .fd = my->fillers[my->i]);
    for (my->i = 0; my->i < 5; my->i++)
        coop_trap(coop_void, Close, .fd = my->listeners[my->i]);
    coop_end;
}

static void the_only_address(void)
{
    ON_SIM(0, eyeballs, .found = "127.0.0.1", .log = "0:127.0.0.1");
}

static void next_attempt_after_a_head_start(void)
{
    ON_SIM(0, eyeballs, .found = "[::1] 127.0.0.1", .ms = 250,
           .log = "0:::1 250:127.0.0.1");
    ON_SIM(0, eyeballs, .found = "10.0.0.1 10.0.0.2 10.0.0.3 127.0.0.1", .ms = 750,
           .log = "0:10.0.0.1 250:10.0.0.2 500:10.0.0.3 750:127.0.0.1");
}

static void next_attempt_at_once_after_a_failure(void)
{
    ON_SIM(0, eyeballs, .found = "[::2] 127.0.0.1", .log = "0:::2 0:127.0.0.1");
    ON_SIM(0, eyeballs, .found = "10.0.0.1 10.0.0.9 10.0.0.8 127.0.0.1", .ms = 250,
           .log = "0:10.0.0.1 250:10.0.0.9 250:10.0.0.8 250:127.0.0.1");
}

static void families_take_turns(void)
{
    ON_SIM(0, eyeballs, .found = "[::2] [::3] [::4] 10.0.0.8 10.0.0.9 127.0.0.1",
           .log = "0:::2 0:10.0.0.8 0:::3 0:10.0.0.9 0:::4 0:127.0.0.1");
    ON_SIM(0, eyeballs, .found = "10.0.0.8 10.0.0.9 10.0.0.7 [::3] 127.0.0.1",
           .log = "0:10.0.0.8 0:::3 0:10.0.0.9 0:10.0.0.7 0:127.0.0.1");
}

static void all_attempts_fail(void)
{
    ON_SIM(0, eyeballs, .found = "10.0.0.8 10.0.0.9", .expected = -ECONNREFUSED,
           .log = "0:10.0.0.8 0:10.0.0.9");
    ON_SIM(0, eyeballs, .found = "", .expected = -ENOENT, .log = "");
}

static void no_answer_in_time(void)
{
    ON_SIM(0, eyeballs, .found = "10.0.0.1 [::1]", .expected = -ETIMEDOUT, .ms = 2000,
           .timeout = COOP_S(2), .log = "0:10.0.0.1 250:::1");
    ON_SIM(0, eyeballs, .found = "10.0.0.1", .expected = -ETIMEDOUT, .ms = 100,
           .timeout = COOP_MS(100), .log = "0:10.0.0.1");
    ON_SIM(0, eyeballs, .found = "10.0.0.1 127.0.0.1", .timeout = COOP_MS(251), .ms = 250,
           .log = "0:10.0.0.1 250:127.0.0.1");
}

/* The first answers when the second has begun too. */
coop_routine(make_room, int listener; int *fd;)
{
    coop_begin;
    coop_trap(coop_void, Sleep, .ns = COOP_MS(300));
    if (my->listener >= 0)
        coop_trap(*my->fd, Accept, .fd = my->listener);
    coop_end;
}

coop_routine(late_winner, bool both; int a, b, fill_a, fill_b, at_a, at_b; coop_value fd, n;
             coop_status status; char buf[1];)
{
    coop_begin;
    coop_await(coop_void, dead, .address = "tcp://10.0.0.1:99", .listener = &my->a,
               .filler = &my->fill_a);
    coop_await(coop_void, dead, .address = "tcp://10.0.0.2:99", .listener = &my->b,
               .filler = &my->fill_b);
    be_told("10.0.0.1 10.0.0.2");
    coop_trap(my->n, NewTask,
              .target = coop_create(make_room, .listener = my->a, .fd = &my->at_a));
    coop_spawn(make_room, .listener = my->both ? my->b : -1, .fd = &my->at_b);
    coop_await(my->fd, coop_dial, .address = "tcp://somewhere:99", .timeout = COOP_S(9));
    CU_ASSERT(my->fd >= 0);
    LOG_IS("0:10.0.0.1 250:10.0.0.2");
    /* Only the caller's own child is told to it. */
    coop_trap(coop_void, WaitTask, .tid = COOP_CHILD, .status = &my->status);
    IS(my->status.tid, my->n);
    coop_trap(my->n, WaitTask, .tid = COOP_CHILD);
    IS(my->n, -ECHILD);
    IS(coop_tasks(NULL, 0), 2);
    if (my->both) {
        /* What was let in first were those who filled the queues. */
        coop_trap(coop_void, Close, .fd = my->at_b);
        coop_trap(my->at_b, Accept, .fd = my->b);
        coop_trap(my->n, Recv, .fd = my->at_b, .buf = my->buf, .len = 1);
        IS(my->n, 0);
        coop_trap(coop_void, Close, .fd = my->at_b);
    }
    coop_trap(coop_void, Close, .fd = (int)my->fd);
    coop_trap(coop_void, Close, .fd = my->at_a);
    coop_trap(coop_void, Close, .fd = my->fill_a);
    coop_trap(coop_void, Close, .fd = my->fill_b);
    coop_trap(coop_void, Close, .fd = my->a);
    coop_trap(coop_void, Close, .fd = my->b);
    coop_end;
}

static void first_to_answer_wins_and_others_are_gone(void)
{
    ON_SIM(0, late_winner);
    ON_SIM(0, late_winner, .both = true);
}

/* ---- On both machines */

coop_routine(by_name, int listener, peer; coop_value fd; char bound[64], to[64], back[64];)
{
    coop_begin;
    coop_await(my->listener, coop_listen, .address = "tcp://localhost:0",
               .bound = my->bound, .bound_size = sizeof my->bound);
    CU_ASSERT_FATAL(my->listener >= 0);
    snprintf(my->to, sizeof my->to, "tcp://localhost%s", strrchr(my->bound, ':'));
    coop_await(my->fd, coop_dial, .address = my->to);
    CU_ASSERT_FATAL(my->fd >= 0);
    coop_trap(my->peer, Accept, .fd = my->listener);
    CU_ASSERT(my->peer >= 0);
    coop_trap(coop_void, SockName, .fd = (int)my->fd, .peer = true, .name = my->back,
              .size = sizeof my->back);
    CU_ASSERT_STRING_EQUAL(my->back, my->bound + 6);
    coop_trap(coop_void, Close, .fd = (int)my->fd);
    coop_trap(coop_void, Close, .fd = my->peer);
    coop_trap(coop_void, Close, .fd = my->listener);
    coop_await(my->fd, coop_dial, .address = my->to);
    IS(my->fd, -ECONNREFUSED);
    coop_await(my->fd, coop_dial, .address = my->bound);
    IS(my->fd, -ECONNREFUSED);
    coop_await(my->fd, coop_dial, .address = my->bound, .timeout = COOP_S(50));
    IS(my->fd, -ECONNREFUSED);
    coop_end;
}

static void listen_and_dial_by_name(void)
{
    ON_BOTH(0, by_name);
}

coop_routine(wrong, int i; coop_value r;)
{
    coop_begin;
    static const char *const addresses[] = {
        NULL, "", "localhost", "localhost:1", "http://localhost:1", "tcp://localhost",
        "tcp://localhost:http", "tcp://localhost:99999", "tcp://:1:", "tcp://", "unix://",
        "tcp://127.0.0.1:x"
    };
    for (my->i = 0; my->i < 12; my->i++) {
        coop_await(my->r, coop_listen, .address = addresses[my->i]);
        IS(my->r, -EINVAL);
        coop_await(my->r, coop_dial, .address = addresses[my->i]);
        IS(my->r, -EINVAL);
        coop_await(my->r, coop_dial, .address = addresses[my->i], .timeout = COOP_S(1));
        IS(my->r, -EINVAL);
    }
    coop_end;
}

static void addresses_that_are_none(void)
{
    ON_BOTH(0, wrong);
}

coop_routine(waiting_dial, const char *to; coop_value fd;)
{
    coop_begin;
    coop_await(my->fd, coop_dial, .address = my->to, .timeout = COOP_S(1000));
    say("came to %td", my->fd);
    coop_end;
}

/* Kills a dial at each of its steps: none may leave anything. */
coop_routine(kill_dial, const char *to, *bound; int steps, i, a, filler; coop_tid tid;
             coop_value r; coop_status status;)
{
    coop_begin;
    coop_await(coop_void, dead, .address = "tcp://10.0.0.1:99", .listener = &my->a,
               .filler = &my->filler);
    be_told("10.0.0.1 10.0.0.8");
    coop_trap(my->tid, NewTask, .target = coop_create(waiting_dial, .to = my->to));
    for (my->i = 0; my->i < my->steps; my->i++)
        coop_trap(coop_void, Yield);
    if (my->steps == 30)
        coop_trap(coop_void, Sleep, .ns = COOP_MS(260));
    coop_trap(my->r, KillTask, .tid = my->tid);
    IS(my->r, 0);
    coop_trap(my->r, WaitTask, .tid = my->tid, .status = &my->status);
    IS(my->status.end, COOP_KILLED);
    IS(coop_tasks(NULL, 0), 2);
    coop_this->machine->connect = real_connect;
    coop_trap(coop_void, Close, .fd = my->filler);
    coop_trap(coop_void, Close, .fd = my->a);
    clear_log();
    coop_end;
}

static void kill_in_the_middle_of_a_dial(void)
{
    for (int steps = 0; steps <= 30; steps++) {
        ON_SIM(0, kill_dial, .to = "tcp://somewhere:99", .steps = steps);
        ON_SIM(0, kill_dial, .to = "tcp://10.0.0.1:99", .steps = steps);
    }
}

/* ---- On the host */

static int gate[2];

/* Blocks its thread until the gate is opened. */
static int slow_resolve(coop_machine *m, const char *name, coop_address *addresses, int max)
{
    char c;
    (void)m, (void)name, (void)max;
    need(read(gate[0], &c, 1) == 1, "read");
    strcpy(addresses[0].text, "127.0.0.1");
    return 1;
}

coop_routine(resolver_hangs, coop_value r; coop_tid tid;)
{
    coop_begin;
    need(pipe(gate) == 0, "pipe");
    coop_this->machine->resolve = slow_resolve;
    coop_await(my->r, coop_dial, .address = "tcp://somewhere:1", .timeout = COOP_MS(5));
    IS(my->r, -ETIMEDOUT);
    coop_trap(my->tid, NewTask,
              .target = coop_create(waiting_dial, .to = "tcp://somewhere:1"));
    coop_await(coop_void, rest);
    coop_trap(my->r, KillTask, .tid = my->tid, .wait = true);
    IS(my->r, 0);
    need(write(gate[1], "xx", 2) == 2, "write");
    while (coop_tasks(NULL, 0) > 2)
        coop_trap(coop_void, Sleep, .ns = COOP_MS(1));
    close_pair(gate);
    coop_end;
}

static void resolver_that_hangs_is_left_behind(void)
{
    OUTSIDE(0, resolver_hangs);
}

static char folder[64], file[96], local[104];

static void make_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/coop-dial.XXXXXX");
    need(mkdtemp(folder) != NULL, "mkdtemp");
    snprintf(file, sizeof file, "%s/socket", folder);
    snprintf(local, sizeof local, "unix://%s", file);
}

coop_routine(left_over, int a, b; coop_value r; struct stat st;)
{
    coop_begin;
    coop_await(my->a, coop_listen, .address = local);
    CU_ASSERT(my->a >= 0);
    coop_await(my->r, coop_listen, .address = local);
    IS(my->r, -EADDRINUSE);
    coop_await(my->b, coop_dial, .address = local);
    CU_ASSERT(my->b >= 0);
    coop_trap(coop_void, Close, .fd = my->b);
    coop_trap(coop_void, Close, .fd = my->a);
    IS(stat(file, &my->st), 0);
    coop_await(my->r, coop_dial, .address = local);
    IS(my->r, -ECONNREFUSED);
    coop_await(my->a, coop_listen, .address = local);
    CU_ASSERT(my->a >= 0);
    coop_await(my->b, coop_dial, .address = local, .timeout = COOP_S(50));
    CU_ASSERT(my->b >= 0);
    coop_trap(coop_void, Close, .fd = my->b);
    coop_trap(coop_void, Close, .fd = my->a);
    unlink(file);
    my->a = open(file, O_CREAT | O_WRONLY, 0600);
    close(my->a);
    coop_await(my->r, coop_listen, .address = local);
    IS(my->r, -EADDRINUSE);
    IS(stat(file, &my->st), 0);
    IS(S_ISREG(my->st.st_mode), 1);
    coop_end;
}

static void socket_file_that_was_left_behind(void)
{
    make_folder();
    OUTSIDE(0, left_over);
    unlink(file);
    rmdir(folder);
}

/* More connect than the queue has room for: they wait until there is some. */
coop_routine(local_dialler, const char *to; int *done; int64_t timeout; coop_value fd;)
{
    coop_begin;
    coop_await(my->fd, coop_dial, .address = my->to, .timeout = my->timeout);
    if (my->fd == -ETIMEDOUT)
        say("late");
    else
        CU_ASSERT(my->fd >= 0);
    ++*my->done;
    if (my->fd >= 0)
        coop_trap(coop_void, Close, .fd = (int)my->fd);
    coop_end;
}

coop_routine(full_queue, const char *to; int listener, done, i; coop_value fd;)
{
    coop_begin;
    coop_trap(my->listener, Listen, .address = my->to, .backlog = 1);
    CU_ASSERT(my->listener >= 0);
    for (my->i = 0; my->i < 6; my->i++)
        coop_spawn(local_dialler, .to = my->to, .done = &my->done);
    coop_await(coop_void, rest);
    CU_ASSERT(my->done < 6);
    coop_trap(my->fd, NewTask,
              .target = coop_create(local_dialler, .to = my->to, .done = &my->done,
                                    .timeout = COOP_MS(25)));
    coop_trap(coop_void, WaitTask, .tid = my->fd);
    LOG_IS("late");
    for (my->i = 0; my->i < 6; my->i++) {
        coop_trap(my->fd, Accept, .fd = my->listener);
        CU_ASSERT(my->fd >= 0);
        coop_trap(coop_void, Close, .fd = (int)my->fd);
    }
    while (my->done < 7)
        coop_trap(coop_void, Sleep, .ns = COOP_MS(1));
    coop_trap(coop_void, Close, .fd = my->listener);
    coop_end;
}

static void local_queue_that_is_full(void)
{
    make_folder();
    OUTSIDE(0, full_queue, .to = local);
    ON_SIM(0, full_queue, .to = "unix://@dial");
    unlink(file);
    rmdir(folder);
}

coop_routine(datagrams, int a; coop_value b, n; char bound[64], to[64], buf[8];)
{
    coop_begin;
    coop_await(my->a, coop_listen, .address = "udp://127.0.0.1:0", .bound = my->bound,
               .bound_size = sizeof my->bound);
    CU_ASSERT(my->a >= 0);
    snprintf(my->to, sizeof my->to, "udp://localhost%s", strrchr(my->bound, ':'));
    coop_this->machine->resolve = resolve;
    memcpy(my->to + 6, "somewhere", 10);
    strcpy(my->to + 15, strrchr(my->bound, ':'));
    found = "127.0.0.1";
    coop_await(my->b, coop_dial, .address = my->to);
    CU_ASSERT(my->b >= 0);
    coop_trap(my->n, Send, .fd = (int)my->b, .buf = "hi", .len = 2);
    IS(my->n, 2);
    coop_trap(my->n, RecvFrom, .fd = my->a, .buf = my->buf, .len = 8);
    IS(my->n, 2);
    coop_trap(coop_void, Close, .fd = (int)my->b);
    coop_trap(coop_void, Close, .fd = my->a);
    coop_end;
}

static void dial_for_datagrams(void)
{
    OUTSIDE(0, datagrams);
}

static const suite_test tests[] = {
    TEST(the_only_address),
    TEST(next_attempt_after_a_head_start),
    TEST(next_attempt_at_once_after_a_failure),
    TEST(families_take_turns),
    TEST(all_attempts_fail),
    TEST(no_answer_in_time),
    TEST(first_to_answer_wins_and_others_are_gone),
    TEST(listen_and_dial_by_name),
    TEST(addresses_that_are_none),
    TEST(kill_in_the_middle_of_a_dial),
    TEST(resolver_that_hangs_is_left_behind),
    TEST(socket_file_that_was_left_behind),
    TEST(local_queue_that_is_full),
    TEST(dial_for_datagrams),
};

int main(int argc, char **argv)
{
    return world_main("dial", tests, SUITE_COUNT(tests), argc, argv, "");
}
