/* What is remembered of descriptors that the kernel opened: what a message costs, and that
   nothing is missed. */
#include "outside.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct { unsigned recv, send, ctl; } calls;

ssize_t __real_recv(int, void *, size_t, int);
ssize_t __wrap_recv(int fd, void *buf, size_t len, int flags)
{
    calls.recv++;
    return __real_recv(fd, buf, len, flags);
}

ssize_t __real_send(int, const void *, size_t, int);
ssize_t __wrap_send(int fd, const void *buf, size_t len, int flags)
{
    calls.send++;
    return __real_send(fd, buf, len, flags);
}

long __real_syscall(long, ...);
long __wrap_syscall(long number, ...)
{
    long a[6];
    va_list args;
    va_start(args, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(args, long);
    va_end(args);
    calls.recv += number == SYS_recvfrom;
    calls.send += number == SYS_sendto;
    return __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int __real_epoll_ctl(int, int, int, struct epoll_event *);
int __wrap_epoll_ctl(int set, int op, int fd, struct epoll_event *event)
{
    calls.ctl++;
    return __real_epoll_ctl(set, op, fd, event);
}

/* A server's end of a connection that Accept gave, and the client's. */
coop_routine(accepted, int *client; int listener; coop_value fd;)
{
    coop_begin;
    my->listener = listener();
    coop_spawn(waiter, .name = "none", .kind = RECV, .fd = -1);     /* the poller begins */
    coop_trap(coop_void, Sleep, .ns = 1);
    LOG_IS("none=-9");
    *my->client = connect_to(my->listener);
    coop_trap(my->fd, Accept, .fd = my->listener);
    coop_trap(coop_void, Close, .fd = my->listener);
    coop_return(my->fd);
    coop_end;
}

enum { MESSAGES = 100 };

coop_routine(echo, int fd; coop_value n; char buf[64];)
{
    coop_begin;
    do {
        coop_trap(my->n, Recv, .fd = my->fd, .buf = my->buf, .len = sizeof my->buf);
        if (my->n > 0)
            coop_trap(my->n, Send, .fd = my->fd, .buf = my->buf, .len = (size_t)my->n);
    } while (my->n > 0);
    coop_trap(coop_void, Close, .fd = my->fd);
    coop_return(my->n);
    coop_end;
}

coop_routine(costs, int fd, client, i; unsigned recv, send, ctl; coop_value tid, r;
             char buf[64];)
{
    coop_begin;
    coop_await(my->fd, accepted, .client = &my->client);
    coop_trap(my->tid, NewTask, .target = coop_create(echo, .fd = my->fd));
    for (my->i = 0; my->i <= MESSAGES; my->i++) {
        if (my->i == 1)
            memset(&calls, 0, sizeof calls);
        IS(write(my->client, "hello", 5), 5);
        while (read(my->client, my->buf, sizeof my->buf) < 0)
            coop_trap(coop_void, Sleep, .ns = 1);
    }
    IS(calls.recv, MESSAGES);
    IS(calls.send, MESSAGES);
    IS(calls.ctl, 0);
    close(my->client);
    coop_trap(my->r, WaitTask, .tid = my->tid);
    IS(my->r, 0);
    coop_end;
}

static void a_message_costs_one_recv_and_one_send(void)
{
    ON_ALL(0, costs);
}

/* The end or an error right behind the last bytes is not missed, whenever it comes. */
coop_routine(last_words, bool reset, late; int fd, client; coop_value n, tid; char buf[64];)
{
    coop_begin;
    coop_await(my->fd, accepted, .client = &my->client);
    my->tid = coop_spawn(waiter, .name = "first", .kind = RECV, .fd = my->fd);
    coop_await(coop_void, settle);
    IS(write(my->client, "x", 1), 1);
    if (!my->late && !my->reset)
        shutdown(my->client, SHUT_WR);
    coop_await(coop_void, settle);
    LOG_IS("first=1");
    if (my->late && !my->reset)
        shutdown(my->client, SHUT_WR);
    if (my->reset)
        reset(my->client);
    coop_trap(my->n, Recv, .fd = my->fd, .buf = my->buf, .len = sizeof my->buf);
    IS(my->n, my->reset ? -ECONNRESET : 0);
    coop_trap(my->n, Recv, .fd = my->fd, .buf = my->buf, .len = sizeof my->buf);
    IS(my->n, 0);
    coop_trap(coop_void, Close, .fd = my->fd);
    if (!my->reset)
        close(my->client);
    coop_end;
}

static void the_end_behind_a_short_read(void)
{
    ON_ALL(0, last_words);
    ON_ALL(0, last_words, .late = true);
    ON_ALL(0, last_words, .reset = true);
}

/* A read stops before urgent data, though there is more. */
coop_routine(urgent, int fd, client; coop_value n; char buf[64];)
{
    coop_begin;
    coop_await(my->fd, accepted, .client = &my->client);
    coop_spawn(waiter, .name = "r", .kind = RECV, .fd = my->fd);
    coop_await(coop_void, settle);
    IS(send(my->client, "ab!", 3, MSG_OOB), 3);
    IS(send(my->client, "cd", 2, 0), 2);
    coop_await(coop_void, settle);
    LOG_IS("r=2");
    coop_trap(my->n, Recv, .fd = my->fd, .buf = my->buf, .len = sizeof my->buf);
    IS(my->n, 2);
    coop_trap(coop_void, Close, .fd = my->fd);
    close(my->client);
    coop_end;
}

static void urgent_data_hides_nothing(void)
{
    ON_ALL(0, urgent);
}

/* Who reads by oneself may leave something; the next wait says so at once. */
coop_routine(by_oneself, int fd, client, i; coop_value r; char c;)
{
    coop_begin;
    coop_await(my->fd, accepted, .client = &my->client);
    coop_spawn(waiter, .name = "r", .kind = RECV, .fd = my->fd);
    coop_await(coop_void, settle);
    IS(write(my->client, "x", 1), 1);
    coop_await(coop_void, settle);
    LOG_IS("r=1");
    IS(write(my->client, "xyz", 3), 3);
    for (my->i = 0; my->i < 3; my->i++) {
        coop_trap(my->r, ReadWait, .fd = my->fd);
        IS(my->r, 0);
        IS(read(my->fd, &my->c, 1), 1);
    }
    coop_spawn(waiter, .name = "w", .kind = READ_WAIT, .fd = my->fd);
    coop_await(coop_void, settle);
    LOG_IS("");
    close(my->client);
    coop_await(coop_void, settle);
    LOG_IS("w=0");
    coop_trap(coop_void, Close, .fd = my->fd);
    coop_end;
}

static void what_is_left_is_told_again(void)
{
    ON_ALL(0, by_oneself);
}

coop_routine(two_readers, int fd, client; coop_value n; char c;)
{
    coop_begin;
    coop_await(my->fd, accepted, .client = &my->client);
    coop_spawn(waiter, .name = "a", .kind = RECV, .fd = my->fd);
    coop_spawn(waiter, .name = "b", .kind = RECV, .fd = my->fd);
    coop_await(coop_void, settle);
    IS(write(my->client, "x", 1), 1);
    coop_await(coop_void, settle);
    LOG_IS("a=1");
    IS(write(my->client, "xyz", 3), 3);
    coop_await(coop_void, settle);
    LOG_IS("b=3");
    IS(write(my->client, "xy", 2), 2);
    coop_trap(my->n, Recv, .fd = my->fd, .buf = &my->c, .len = 1);
    IS(my->n, 1);
    coop_trap(my->n, Recv, .fd = my->fd, .buf = &my->c, .len = 1);
    IS(my->n, 1);
    coop_spawn(waiter, .name = "c", .kind = RECV, .fd = my->fd);
    coop_await(coop_void, settle);
    LOG_IS("");
    IS(write(my->client, "x", 1), 1);
    coop_await(coop_void, settle);
    LOG_IS("c=1");
    coop_trap(coop_void, Close, .fd = my->fd);
    close(my->client);
    coop_end;
}

static void each_reader_gets_its_part(void)
{
    ON_ALL(0, two_readers);
}

/* Full, emptied, full again: each time who waits for room is told. */
coop_routine(fill_twice, int fd, client, i; coop_value n;)
{
    coop_begin;
    coop_await(my->fd, accepted, .client = &my->client);
    for (my->i = 0; my->i < 3; my->i++) {
        fill(my->fd);
        coop_spawn(waiter, .name = "s", .kind = SEND, .fd = my->fd);
        coop_spawn(waiter, .name = "w", .kind = WRITE_WAIT, .fd = my->fd);
        coop_await(coop_void, settle);
        LOG_IS("");
        while (drain(my->client) > 0)
            coop_trap(coop_void, Sleep, .ns = COOP_US(100));
        coop_await(coop_void, settle);
        LOG_IS("s=16 w=0");
    }
    coop_trap(coop_void, Close, .fd = my->fd);
    close(my->client);
    coop_end;
}

static void room_is_told_each_time(void)
{
    ON_ALL(0, fill_twice);
}

enum { ENOUGH = 4 };               /* polls while a task sleeps once, at most */

/* epoll goes over what is watched when nothing happens: that there is room is no news. */
coop_routine(idle_again, int fd, client; unsigned polls;)
{
    coop_begin;
    coop_await(my->fd, accepted, .client = &my->client);
    fill(my->fd);
    coop_spawn(waiter, .name = "s", .kind = SEND, .fd = my->fd);
    coop_await(coop_void, settle);
    LOG_IS("");
    while (drain(my->client) > 0)
        coop_trap(coop_void, Sleep, .ns = COOP_US(100));
    coop_await(coop_void, settle);
    LOG_IS("s=16");
    coop_spawn(waiter, .name = "r", .kind = RECV, .fd = my->fd);
    coop_await(coop_void, settle);
    my->polls = outside.polls;
    coop_trap(coop_void, Sleep, .ns = COOP_MS(300));
    IS(outside.polls - my->polls <= ENOUGH, 1);
    LOG_IS("");
    close(my->client);
    coop_await(coop_void, settle);
    LOG_IS("r=0");
    coop_trap(coop_void, Close, .fd = my->fd);
    coop_end;
}

static void room_that_nobody_waits_for_wakes_nobody(void)
{
    ON_ALL(0, idle_again);
}

/* Closed without Close, the number is another connection's next. */
coop_routine(behind_the_back, int fd, fd2, client, client2; coop_value n;)
{
    coop_begin;
    coop_await(my->fd, accepted, .client = &my->client);
    coop_spawn(waiter, .name = "a", .kind = RECV, .fd = my->fd);
    coop_await(coop_void, settle);
    IS(write(my->client, "x", 1), 1);
    coop_await(coop_void, settle);
    LOG_IS("a=1");
    my->fd2 = dup(my->client);
    close(my->fd);
    close(my->client);
    coop_await(my->fd, accepted, .client = &my->client2);
    coop_spawn(waiter, .name = "b", .kind = RECV, .fd = my->fd);
    coop_await(coop_void, settle);
    LOG_IS("");
    IS(write(my->client2, "xy", 2), 2);
    coop_await(coop_void, settle);
    LOG_IS("b=2");
    coop_trap(coop_void, Close, .fd = my->fd);
    close(my->client2);
    close(my->fd2);
    coop_end;
}

static void a_number_that_comes_back(void)
{
    ON_ALL(0, behind_the_back);
}

enum { MANY = 100 };

coop_routine(accept_all, int listener, *fds, i; coop_value fd;)
{
    coop_begin;
    for (my->i = 0; my->i < MANY; my->i++) {
        coop_trap(my->fd, Accept, .fd = my->listener);
        my->fds[my->i] = (int)my->fd;
    }
    coop_end;
}

/* A descriptor for which room must be made comes while those who wait are offered it. */
coop_routine(accepts_many, int listener, i, clients[MANY], fds[MANY];)
{
    coop_begin;
    my->listener = listener();
    coop_spawn(accept_all, .listener = my->listener, .fds = my->fds);
    coop_spawn(waiter, .name = "w", .kind = READ_WAIT, .fd = my->listener);
    for (my->i = 0; my->i < MANY; my->i++) {
        coop_await(coop_void, settle);
        my->clients[my->i] = connect_to(my->listener);
    }
    coop_await(coop_void, settle);
    LOG_IS("w=0");
    IS(outside_watched(), 0);
    for (my->i = 0; my->i < MANY; my->i++) {
        close(my->clients[my->i]);
        coop_trap(coop_void, Close, .fd = my->fds[my->i]);
    }
    close(my->listener);
    coop_end;
}

static void room_is_made_while_others_wait(void)
{
    ON_ALL(0, accepts_many);
}

static const suite_test tests[] = {
    TEST(a_message_costs_one_recv_and_one_send),
    TEST(the_end_behind_a_short_read),
    TEST(urgent_data_hides_nothing),
    TEST(what_is_left_is_told_again),
    TEST(each_reader_gets_its_part),
    TEST(room_is_told_each_time),
    TEST(room_that_nobody_waits_for_wakes_nobody),
    TEST(a_number_that_comes_back),
    TEST(room_is_made_while_others_wait),
};

int main(int argc, char **argv)
{
    return suite_main("ready", tests, SUITE_COUNT(tests), argc, argv);
}
