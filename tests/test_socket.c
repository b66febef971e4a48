/* Listen, Accept, Recv and Send when nothing goes wrong, and addresses that are. */
#include "outside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void is_adopted(int fd)
{
    IS(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    IS(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

coop_routine(adopted, int listener, made, fd, client; char bound[64];)
{
    coop_begin;
    coop_trap(my->listener, Listen, .address = "tcp://127.0.0.1:0", .bound = my->bound,
              .bound_size = sizeof my->bound);
    is_adopted(my->listener);
    my->client = connect_to(my->listener);
    coop_trap(my->fd, Accept, .fd = my->listener);
    is_adopted(my->fd);
    close(my->client);
    close(my->fd);
    close(my->listener);
    my->made = listener();
    my->client = connect_to(my->made);
    coop_trap(my->fd, Accept, .fd = my->made);
    is_adopted(my->fd);
    IS(fcntl(my->made, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    close(my->client);
    close(my->fd);
    close(my->made);
    coop_end;
}

static void rule_15_sockets_are_nonblocking_and_cloexec(void)
{
    OUTSIDE(0, adopted);
}

coop_routine(accept_in_order, int listener; int clients[3];)
{
    coop_begin;
    my->listener = listener();
    coop_spawn(waiter, .name = "a", .kind = ACCEPT, .fd = my->listener);
    coop_spawn(waiter, .name = "b", .kind = ACCEPT, .fd = my->listener);
    coop_spawn(waiter, .name = "c", .kind = ACCEPT, .fd = my->listener);
    coop_await(coop_void, settle);
    my->clients[0] = connect_to(my->listener);
    coop_await(coop_void, settle);
    LOG_IS("a=0");
    IS(outside_watched(), 1);
    my->clients[1] = connect_to(my->listener);
    my->clients[2] = connect_to(my->listener);
    coop_await(coop_void, settle);
    LOG_IS("b=0 c=0");
    for (int i = 0; i < 3; i++)
        close(my->clients[i]);
    close(my->listener);
    coop_end;
}

static void accept_gives_connections_in_order(void)
{
    OUTSIDE(0, accept_in_order);
}

coop_routine(peers, int listener, client, fd; char peer[64], right[64];)
{
    coop_begin;
    my->listener = listener();
    my->client = connect_to(my->listener);
    coop_trap(my->fd, Accept, .fd = my->listener, .peer = my->peer,
              .peer_size = sizeof my->peer);
    snprintf(my->right, sizeof my->right, "127.0.0.1:%d", port_of(my->client));
    CU_ASSERT_STRING_EQUAL(my->peer, my->right);
    close(my->fd);
    close(my->client);
    my->client = connect_to(my->listener);
    memset(my->peer, '?', sizeof my->peer);
    coop_trap(my->fd, Accept, .fd = my->listener, .peer = my->peer, .peer_size = 6);
    CU_ASSERT_NSTRING_EQUAL(my->peer, "127.0\0?", 7);
    close(my->fd);
    close(my->client);
    my->client = connect_to(my->listener);
    coop_trap(my->fd, Accept, .fd = my->listener, .peer = my->peer, .peer_size = 1);
    CU_ASSERT_NSTRING_EQUAL(my->peer, "\0" "27.0\0?", 7);
    close(my->fd);
    close(my->client);
    my->client = connect_to(my->listener);
    coop_trap(my->fd, Accept, .fd = my->listener, .peer = my->peer, .peer_size = 0);
    IS(my->peer[1], '2');
    close(my->fd);
    close(my->client);
    close(my->listener);
    coop_end;
}

static void accept_tells_the_peer_and_cuts_it(void)
{
    OUTSIDE(0, peers);
}

coop_routine(receive, int fds[2]; coop_value r; char buf[8]; unsigned polls;)
{
    coop_begin;
    pair(my->fds);
    coop_trap(my->r, Recv, .fd = my->fds[0], .buf = my->buf, .len = 0);
    IS(my->r, 0);
    IS(write(my->fds[1], "0123456789", 10), 10);
    coop_trap(my->r, Recv, .fd = my->fds[0], .buf = NULL, .len = 0);
    IS(my->r, 0);
    coop_trap(my->r, Recv, .fd = my->fds[0], .buf = my->buf, .len = sizeof my->buf);
    IS(my->r, 8);
    CU_ASSERT_NSTRING_EQUAL(my->buf, "01234567", 8);
    coop_trap(my->r, Recv, .fd = my->fds[0], .buf = my->buf, .len = sizeof my->buf);
    IS(my->r, 2);
    CU_ASSERT_NSTRING_EQUAL(my->buf, "89234567", 8);
    IS(outside.polls, 0);
    coop_spawn(waiter, .name = "recv", .kind = RECV, .fd = my->fds[0]);
    coop_await(coop_void, settle);
    IS(write(my->fds[1], "x", 1), 1);
    coop_await(coop_void, settle);
    LOG_IS("recv=1");
    close(my->fds[1]);
    coop_trap(my->r, Recv, .fd = my->fds[0], .buf = my->buf, .len = sizeof my->buf);
    IS(my->r, 0);
    coop_trap(my->r, Recv, .fd = my->fds[0], .buf = my->buf, .len = sizeof my->buf);
    IS(my->r, 0);
    close(my->fds[0]);
    coop_end;
}

static void recv_gives_what_is_there(void)
{
    OUTSIDE(0, receive);
}

enum { MUCH = 1 << 20 };
static char much[MUCH], come[MUCH];

coop_routine(slow_reader, int fd; size_t got; coop_value n;)
{
    coop_begin;
    while (my->got < MUCH) {
        coop_trap(my->n, Recv, .fd = my->fd, .buf = come + my->got, .len = 1000);
        if (my->n <= 0)
            coop_return(my->n);
        my->got += (size_t)my->n;
        coop_trap(coop_void, Yield);
    }
    coop_end;
}

coop_routine(sender, int fd; coop_value n;)
{
    coop_begin;
    coop_trap(my->n, Send, .fd = my->fd, .buf = much, .len = MUCH);
    coop_return(my->n);
    coop_end;
}

coop_routine(partial_sends, int fds[2]; coop_tid sender, reader; coop_value n; char *at;)
{
    coop_begin;
    pair(my->fds);
    need(setsockopt(my->fds[0], SOL_SOCKET, SO_SNDBUF, &(int){ 4096 }, sizeof(int)) == 0,
         "SO_SNDBUF");
    for (int i = 0; i < MUCH; i++)
        much[i] = (char)(i % 251);
    coop_trap(my->sender, NewTask, .target = coop_create(sender, .fd = my->fds[0]));
    coop_await(coop_void, settle);
    my->at = strstr(outside_call(my->sender), ", 1048576 (");
    CU_ASSERT_PTR_NOT_NULL_FATAL(my->at);
    IS(sscanf(my->at, ", 1048576 (%td sent)", &my->n), 1);
    IS(my->n > 0 && my->n < MUCH, 1);
    coop_trap(my->reader, NewTask, .target = coop_create(slow_reader, .fd = my->fds[1]));
    coop_trap(my->n, WaitTask, .tid = my->sender);
    IS(my->n, MUCH);
    coop_trap(my->n, WaitTask, .tid = my->reader);
    IS(my->n, 0);
    IS(memcmp(much, come, MUCH), 0);
    IS(outside.polls > 20, 1);
    close_pair(my->fds);
    coop_end;
}

static void F27_partial_sends(void)
{
    OUTSIDE(0, partial_sends);
}

coop_routine(send_nothing, int fds[2]; coop_value r;)
{
    coop_begin;
    pair(my->fds);
    coop_trap(my->r, Send, .fd = my->fds[0], .buf = NULL, .len = 0);
    IS(my->r, 0);
    fill(my->fds[0]);
    coop_trap(my->r, Send, .fd = my->fds[0], .buf = "", .len = 0);
    IS(my->r, 0);
    close_pair(my->fds);
    coop_end;
}

static void send_of_nothing(void)
{
    OUTSIDE(0, send_nothing);
}

/* Two tasks on one socket, one for each direction. */
coop_routine(both_directions, int fds[2]; coop_tid sender; coop_value n; char buf[4];)
{
    coop_begin;
    pair(my->fds);
    coop_spawn(waiter, .name = "recv", .kind = RECV, .fd = my->fds[0]);
    coop_trap(my->sender, NewTask, .target = coop_create(sender, .fd = my->fds[0]));
    coop_await(coop_void, settle);
    IS(outside_watched(), 1);
    coop_trap(my->n, Send, .fd = my->fds[1], .buf = "hello", .len = 5);
    coop_await(coop_void, settle);
    LOG_IS("recv=5");
    waits_in(my->sender, SEND);
    coop_await(my->n, slow_reader, .fd = my->fds[1]);
    IS(my->n, 0);
    coop_trap(my->n, WaitTask, .tid = my->sender);
    IS(my->n, MUCH);
    close_pair(my->fds);
    coop_end;
}

static void both_directions_at_once(void)
{
    OUTSIDE(0, both_directions);
}

/* ---- Listen */

static const char *const malformed[] = {
    NULL, "", "tcp", "tcp://", "tcp://:", "127.0.0.1:0", "http://127.0.0.1:0",
    "tcp:/127.0.0.1:0", "TCP://127.0.0.1:0", " tcp://127.0.0.1:0", "tcp://127.0.0.1",
    "tcp://127.0.0.1:", "tcp://127.0.0.1:65536", "tcp://127.0.0.1:-1", "tcp://127.0.0.1:+1",
    "tcp://127.0.0.1:1x", "tcp://127.0.0.1: 1", "tcp://127.0.0.1:0 ", "tcp://127.0.0.1:0/",
    "tcp://127.0.0.1:99999999999999999999999", "tcp://localhost:0", "tcp://256.0.0.1:0",
    "tcp://127.0.0.1%:0", "tcp://::1:0", "tcp://[::1]0", "tcp://[::1:0", "tcp://[]:0",
    "tcp://[::1]:", "tcp://[::g]:0", "tcp://[::1]]:0", "tcp://::1]:0",
    "tcp://0000000000000000000000000000000000000000000000000000000000000000000001:0",
};

coop_routine(bad_addresses, size_t i; coop_value r;)
{
    coop_begin;
    for (my->i = 0; my->i < sizeof malformed / sizeof *malformed; my->i++) {
        coop_trap(my->r, Listen, .address = malformed[my->i]);
        if (my->r != -EINVAL)
            printf("'%s' gave %td\n", malformed[my->i], my->r);
        IS(my->r, -EINVAL);
    }
    coop_trap(my->r, Listen, .address = "tcp://127.0.0.1:0", .backlog = -1);
    IS(my->r, -EINVAL);
    coop_end;
}

static void listen_refuses_malformed_addresses(void)
{
    OUTSIDE(0, bad_addresses);
}

coop_routine(listens, int fd; coop_value r; char bound[64], right[64];)
{
    coop_begin;
    coop_trap(my->fd, Listen, .address = "tcp://127.0.0.1:0", .bound = my->bound,
              .bound_size = sizeof my->bound);
    CU_ASSERT(my->fd >= 0);
    snprintf(my->right, sizeof my->right, "tcp://127.0.0.1:%d", port_of(my->fd));
    CU_ASSERT_STRING_EQUAL(my->bound, my->right);
    coop_trap(my->r, Listen, .address = my->bound);
    IS(my->r, -EADDRINUSE);
    close(my->fd);
    coop_trap(my->fd, Listen, .address = my->right, .backlog = 1);
    CU_ASSERT(my->fd >= 0);
    close(my->fd);
    memset(my->bound, '?', sizeof my->bound);
    coop_trap(my->fd, Listen, .address = "tcp://127.0.0.1:0", .bound = my->bound,
              .bound_size = 8);
    CU_ASSERT_NSTRING_EQUAL(my->bound, "tcp://1\0?", 9);
    close(my->fd);
    coop_trap(my->fd, Listen, .address = "tcp://127.0.0.1:0", .bound = my->bound,
              .bound_size = 1);
    CU_ASSERT_NSTRING_EQUAL(my->bound, "\0" "cp://1\0?", 9);
    close(my->fd);
    coop_trap(my->fd, Listen, .address = "tcp://127.0.0.1:0", .bound = my->bound,
              .bound_size = 0);
    IS(my->bound[1], 'c');
    close(my->fd);
    coop_trap(my->fd, Listen, .address = "tcp://:0");
    CU_ASSERT(my->fd >= 0);
    close(my->fd);
    coop_trap(my->r, Listen, .address = "tcp://192.0.2.1:0");
    IS(my->r, -EADDRNOTAVAIL);
    coop_end;
}

static void listen_tells_where(void)
{
    OUTSIDE(0, listens);
}

/* A port on which a connection lingers is free to be listened on again. */
coop_routine(lingering, int listener, client, fd; coop_value n; char bound[64], byte;)
{
    coop_begin;
    coop_trap(my->listener, Listen, .address = "tcp://127.0.0.1:0", .bound = my->bound,
              .bound_size = sizeof my->bound);
    my->client = connect_to(my->listener);
    coop_trap(my->fd, Accept, .fd = my->listener);
    close(my->fd);
    coop_trap(my->n, Recv, .fd = my->client, .buf = &my->byte, .len = 1);
    IS(my->n, 0);
    close(my->client);
    close(my->listener);
    coop_trap(my->listener, Listen, .address = my->bound);
    CU_ASSERT(my->listener >= 0);
    close(my->listener);
    coop_end;
}

static void listen_reuses_a_port_that_lingers(void)
{
    OUTSIDE(0, lingering);
}

coop_routine(listens_6, int fd, client, listener; char bound[64], peer[64]; int port;)
{
    coop_begin;
    coop_trap(my->listener, Listen, .address = "tcp://[::1]:0", .bound = my->bound,
              .bound_size = sizeof my->bound);
    if (my->listener == -EAFNOSUPPORT || my->listener == -EADDRNOTAVAIL) {
        printf("(skipped: no IPv6 here) ");
        coop_return(0);
    }
    CU_ASSERT(my->listener >= 0);
    IS(sscanf(my->bound, "tcp://[::1]:%d", &my->port), 1);
    CU_ASSERT(my->port > 0);
    close(my->listener);
    coop_end;
}

static void listen_on_ipv6(void)
{
    OUTSIDE(0, listens_6);
}

static const suite_test tests[] = {
    { "rule_15_sockets_are_nonblocking_and_cloexec",
      rule_15_sockets_are_nonblocking_and_cloexec },
    { "accept_gives_connections_in_order", accept_gives_connections_in_order },
    { "accept_tells_the_peer_and_cuts_it", accept_tells_the_peer_and_cuts_it },
    { "recv_gives_what_is_there", recv_gives_what_is_there },
    { "F27_partial_sends", F27_partial_sends },
    { "send_of_nothing", send_of_nothing },
    { "both_directions_at_once", both_directions_at_once },
    { "listen_refuses_malformed_addresses", listen_refuses_malformed_addresses },
    { "listen_tells_where", listen_tells_where },
    { "listen_reuses_a_port_that_lingers", listen_reuses_a_port_that_lingers },
    { "listen_on_ipv6", listen_on_ipv6 },
};

int main(int argc, char **argv)
{
    return world_main("socket", tests, SUITE_COUNT(tests), argc, argv, "");
}
