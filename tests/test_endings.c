/* How connections and listeners end, and wrong addresses and descriptors; on the host and,
   with several seeds, on the simulated machine. Each test logs the results of its calls. */
#include "both.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

coop_routine(tell_recv, int fd; size_t len; coop_value r; char buf[64];)
{
    coop_begin;
    coop_trap(my->r, Recv, .fd = my->fd, .buf = my->buf,
              .len = my->len ? my->len : sizeof my->buf);
    say("recv=%s", result(my->r));
    coop_end;
}

coop_routine(tell_send, int fd; const char *text; coop_value r;)
{
    coop_begin;
    coop_trap(my->r, Send, .fd = my->fd, .buf = my->text, .len = strlen(my->text));
    say("send=%s", result(my->r));
    coop_end;
}

coop_routine(tell_shutdown, int fd, how; coop_value r;)
{
    coop_begin;
    coop_trap(my->r, Shutdown, .fd = my->fd, .how = my->how);
    say("shutdown=%s", result(my->r));
    coop_end;
}

/* A step of a session between a client and a server each. */
#define CONNECT                                                                     \
    coop_await(my->r, connect_pair, .client = &my->client, .server = &my->server)
#define TELL_RECV(END) coop_await(coop_void, tell_recv, .fd = my->END)
#define TELL_SEND(END, TEXT) coop_await(coop_void, tell_send, .fd = my->END, .text = TEXT)
#define TELL_SHUTDOWN(END, HOW)                                                     \
    coop_await(coop_void, tell_shutdown, .fd = my->END, .how = HOW)
#define CLOSE(END) coop_trap(coop_void, Close, .fd = my->END)

coop_routine(closed, int client, server; coop_value r;)
{
    coop_begin;
    CONNECT;
    TELL_SEND(client, "x");
    CLOSE(client);
    TELL_RECV(server);
    TELL_RECV(server);
    TELL_SEND(server, "lost");
    TELL_SEND(server, "y");
    TELL_RECV(server);
    CLOSE(server);
    coop_return(my->r);
    coop_end;
}

static void what_is_sent_after_a_close_is_lost_once(void)
{
    BOTH(0, "send=1 recv=1 recv=0 send=4 send=EPIPE recv=0", closed);
}

coop_routine(half_closed, int client, server; coop_value r;)
{
    coop_begin;
    CONNECT;
    TELL_SHUTDOWN(client, COOP_SEND);
    TELL_RECV(server);
    TELL_SEND(server, "z");
    TELL_RECV(client);
    TELL_SEND(client, "y");
    CLOSE(client);
    CLOSE(server);
    coop_return(my->r);
    coop_end;
}

static void a_half_closed_connection_is_answered(void)
{
    BOTH(0, "shutdown=0 recv=0 send=1 recv=1 send=EPIPE", half_closed);
}

coop_routine(reset_by_peer, int client, server; coop_value r;)
{
    coop_begin;
    CONNECT;
    TELL_SEND(client, "x");
    TELL_SEND(server, "unread");
    coop_trap(coop_void, ReadWait, .fd = my->client);
    CLOSE(client);
    TELL_RECV(server);
    TELL_RECV(server);
    TELL_RECV(server);
    TELL_SEND(server, "y");
    TELL_SHUTDOWN(server, COOP_SEND);
    CLOSE(server);
    coop_return(my->r);
    coop_end;
}

static void unread_bytes_reset_a_connection(void)
{
    BOTH(0, "send=1 send=6 recv=1 recv=ECONNRESET recv=0 send=EPIPE shutdown=ENOTCONN",
         reset_by_peer);
}

coop_routine(reset_under_waiter, int client, server; coop_tid tid; coop_value r;)
{
    coop_begin;
    CONNECT;
    TELL_SEND(server, "unread");
    coop_trap(coop_void, ReadWait, .fd = my->client);
    my->tid = coop_spawn(tell_recv, .fd = my->server);
    coop_await(coop_void, settle);
    CLOSE(client);
    coop_trap(coop_void, WaitTask, .tid = my->tid);
    TELL_SEND(server, "y");
    CLOSE(server);
    coop_return(my->r);
    coop_end;
}

static void a_reset_wakes_who_waits(void)
{
    BOTH(0, "send=6 recv=ECONNRESET send=EPIPE", reset_under_waiter);
}

coop_routine(closed_under_waiter, int client, server; coop_tid tid; coop_value r;)
{
    coop_begin;
    CONNECT;
    my->tid = coop_spawn(tell_recv, .fd = my->client);
    coop_await(coop_void, settle);
    CLOSE(client);
    coop_trap(coop_void, WaitTask, .tid = my->tid);
    TELL_RECV(server);
    CLOSE(server);
    coop_return(my->r);
    coop_end;
}

coop_routine(deaf_under_waiter, int client, server; coop_tid tid; coop_value r;)
{
    coop_begin;
    CONNECT;
    my->tid = coop_spawn(tell_recv, .fd = my->client);
    coop_await(coop_void, settle);
    TELL_SHUTDOWN(client, COOP_BOTH);
    coop_trap(coop_void, WaitTask, .tid = my->tid);
    TELL_RECV(server);
    CLOSE(client);
    CLOSE(server);
    coop_return(my->r);
    coop_end;
}

coop_routine(killed_in_recv, int client, server; coop_tid tid; coop_value r;)
{
    coop_begin;
    CONNECT;
    my->tid = coop_spawn(tell_recv, .fd = my->client);
    coop_await(coop_void, settle);
    coop_trap(coop_void, KillTask, .tid = my->tid, .wait = true);
    TELL_SEND(server, "w");
    TELL_RECV(client);
    CLOSE(client);
    CLOSE(server);
    coop_return(my->r);
    coop_end;
}

static void rule_13_waiters_learn_that_it_is_over(void)
{
    BOTH(0, "recv=EBADF recv=0", closed_under_waiter);
    BOTH(0, "shutdown=0 recv=0 recv=0", deaf_under_waiter);
    BOTH(0, "send=1 recv=1", killed_in_recv);
}

/* ---- Addresses ---- */

coop_routine(addresses, int listener, other, client, server; coop_value r; char bound[64],
             here[64], there[64];)
{
    coop_begin;
    coop_await(my->listener, listen_here, .bound = my->bound, .size = sizeof my->bound);
    CU_ASSERT_NSTRING_EQUAL(my->bound, "tcp://127.0.0.1:", 16);
    coop_trap(my->other, Listen, .address = my->bound);
    say("again=%s", result(my->other));
    coop_trap(my->client, Connect, .address = my->bound);
    coop_trap(my->server, Accept, .fd = my->listener, .peer = my->there,
              .peer_size = sizeof my->there);
    coop_trap(my->r, SockName, .fd = my->client, .name = my->here, .size = sizeof my->here);
    CU_ASSERT_STRING_EQUAL(my->here, my->there);
    CU_ASSERT_NSTRING_EQUAL(my->here, "127.0.0.1:", 10);
    coop_trap(my->r, SockName, .fd = my->server, .name = my->here, .size = sizeof my->here);
    CU_ASSERT_STRING_EQUAL(my->here, my->bound + 6);
    coop_trap(my->r, SockName, .fd = my->client, .peer = true, .name = my->there,
              .size = sizeof my->there);
    CU_ASSERT_STRING_EQUAL(my->there, my->bound + 6);
    coop_trap(my->r, SockName, .fd = my->listener, .peer = true, .name = my->there,
              .size = sizeof my->there);
    say("peer=%s", result(my->r));
    CLOSE(listener);
    CLOSE(client);
    CLOSE(server);
    coop_trap(my->client, Connect, .address = my->bound);
    say("gone=%s", result(my->client));
    coop_trap(my->listener, Listen, .address = my->bound);
    CU_ASSERT(my->listener >= 0);
    CLOSE(listener);
    coop_end;
}

static void addresses_are_given_used_and_free_again(void)
{
    BOTH(0, "again=EADDRINUSE peer=ENOTCONN gone=ECONNREFUSED", addresses);
}

static const char *const bad_addresses[] = {
    NULL, "", "127.0.0.1:0", "tcp://", "tcp://nowhere:0", "tcp://1.2.3:x", "tcp://[::1:0",
    "tcp://127.0.0.1:70000", "ftp://127.0.0.1:0", "unix://"
};

coop_routine(bad_listens, size_t i; int fd;)
{
    coop_begin;
    for (; my->i < sizeof bad_addresses / sizeof *bad_addresses; my->i++) {
        coop_trap(my->fd, Listen, .address = bad_addresses[my->i]);
        IS(my->fd, -EINVAL);
    }
    coop_end;
}

static void bad_input_addresses(void)
{
    BOTH(0, "", bad_listens);
}

/* ---- The wrong descriptor ---- */

coop_routine(wrong, int listener, client, server; coop_value r; char bound[64];)
{
    coop_begin;
    CONNECT;
    coop_await(my->listener, listen_here, .bound = my->bound, .size = sizeof my->bound);
    coop_trap(my->r, Accept, .fd = my->client);
    say("%s", result(my->r));
    TELL_RECV(listener);
    CLOSE(client);
    TELL_RECV(client);
    TELL_SEND(client, "x");
    coop_await(coop_void, tell_shutdown, .fd = my->client);
    coop_trap(my->r, Accept, .fd = my->client);
    say("%s", result(my->r));
    coop_trap(my->r, ReadWait, .fd = my->client);
    say("%s", result(my->r));
    coop_trap(my->r, Close, .fd = my->client);
    say("%s", result(my->r));
    CLOSE(server);
    CLOSE(listener);
    coop_end;
}

static void bad_input_descriptors(void)
{
    BOTH(0, "EINVAL recv=ENOTCONN recv=EBADF send=EBADF shutdown=EBADF EBADF EBADF EBADF",
         wrong);
}

static const suite_test tests[] = {
    TEST(what_is_sent_after_a_close_is_lost_once),
    TEST(a_half_closed_connection_is_answered),
    TEST(unread_bytes_reset_a_connection),
    TEST(a_reset_wakes_who_waits),
    TEST(rule_13_waiters_learn_that_it_is_over),
    TEST(addresses_are_given_used_and_free_again),
    TEST(bad_input_addresses),
    TEST(bad_input_descriptors),
};

int main(int argc, char **argv)
{
    return world_main("endings", tests, SUITE_COUNT(tests), argc, argv, "");
}
