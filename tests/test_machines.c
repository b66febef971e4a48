/* What must be the same on every machine: each test runs on the host and, with several
   seeds, on the simulated one. */
#include "both.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- The echo server and its clients, in one program ---- */

coop_routine(echo_client, int fd; coop_value n; char buf[256];)
{
    coop_begin;
    do {
        coop_trap(my->n, Recv, .fd = my->fd, .buf = my->buf, .len = sizeof my->buf);
        if (my->n > 0)
            coop_trap(my->n, Send, .fd = my->fd, .buf = my->buf, .len = my->n);
    } while (my->n > 0);
    coop_finally;
    coop_trap(coop_void, Close, .fd = my->fd);
    coop_end;
}

coop_routine(echo_server, int listener, fd;)
{
    coop_begin;
    for (;;) {
        coop_trap(my->fd, Accept, .fd = my->listener);
        CU_ASSERT(my->fd >= 0);
        CU_ASSERT(coop_spawn(echo_client, .fd = my->fd) > 0);
    }
    coop_finally;
    coop_trap(coop_void, Close, .fd = my->listener);
    coop_end;
}

static int connections, most, talked;

/* Holds its connection until all have theirs, then talks. */
coop_routine(talker, const char *address; int all, fd, i; coop_value r;)
{
    coop_begin;
    coop_trap(my->fd, Connect, .address = my->address);
    CU_ASSERT(my->fd >= 0);
    connections++;
    while (most < my->all) {
        most = connections > most ? connections : most;
        coop_trap(coop_void, Sleep, .ns = COOP_MS(1));
    }
    for (my->i = 0; my->i < 3; my->i++) {
        coop_await(my->r, send_pattern, .fd = my->fd, .from = (size_t)my->i, .len = 64);
        IS(my->r, 64);
        coop_await(my->r, recv_pattern, .fd = my->fd, .from = (size_t)my->i, .len = 64);
        IS(my->r, 64);
    }
    talked++;
    coop_finally;
    coop_trap(coop_void, Close, .fd = my->fd);
    connections--;
    coop_end;
}

coop_routine(echo_all, const char *address; int clients; coop_tid server; int listener, i;
             char bound[64];)
{
    coop_begin;
    connections = most = talked = 0;
    coop_trap(my->listener, Listen, .address = my->address, .bound = my->bound,
              .bound_size = sizeof my->bound);
    my->server = coop_spawn(echo_server, .listener = my->listener);
    for (; my->i < my->clients; my->i++)
        coop_spawn(talker, .address = my->bound, .all = my->clients);
    while (talked < my->clients || connections)
        coop_trap(coop_void, Sleep, .ns = COOP_MS(1));
    coop_trap(coop_void, KillTask, .tid = my->server, .wait = true);
    coop_return(talked);
    coop_end;
}

static void an_echo_server_and_its_clients(void)
{
    BOTH(1, "", echo_all, .address = "tcp://127.0.0.1:0", .clients = 1);
    BOTH(30, "", echo_all, .address = "tcp://127.0.0.1:0", .clients = 30);
    BOTH(30, "", echo_all, .address = "tcp://:0", .clients = 30);
    BOTH(30, "", echo_all, .address = local_address("coop-test-machines"), .clients = 30);
}

static void a_thousand_connections_at_once(void)
{
    if (may_open(2100) && !outside_is_by("select"))
        BOTH(1000, "", echo_all, .address = "tcp://127.0.0.1:0", .clients = 1000);
}

/* ---- Much data, more than any buffer takes ---- */

enum { MUCH = 3000000 };

coop_routine(producer, int fd; coop_value r;)
{
    coop_begin;
    coop_await(my->r, send_pattern, .fd = my->fd, .len = MUCH);
    IS(my->r, MUCH);
    coop_trap(my->r, Shutdown, .fd = my->fd, .how = COOP_SEND);
    IS(my->r, 0);
    coop_end;
}

coop_routine(much_data, int client, server; coop_value r; char rest[4];)
{
    coop_begin;
    coop_await(my->r, connect_pair, .client = &my->client, .server = &my->server);
    IS(my->r, 0);
    coop_spawn(producer, .fd = my->client);
    coop_spawn(producer, .fd = my->server);
    coop_await(my->r, recv_pattern, .fd = my->client, .len = MUCH);
    IS(my->r, MUCH);
    coop_await(my->r, recv_pattern, .fd = my->server, .len = MUCH);
    IS(my->r, MUCH);
    coop_trap(my->r, Recv, .fd = my->server, .buf = my->rest, .len = sizeof my->rest);
    say("%td", my->r);
    coop_trap(my->r, Recv, .fd = my->client, .buf = my->rest, .len = sizeof my->rest);
    say("%td", my->r);
    coop_trap(coop_void, Close, .fd = my->client);
    coop_trap(coop_void, Close, .fd = my->server);
    coop_end;
}

static void much_data_both_ways(void)
{
    BOTH(0, "0 0", much_data);
}

/* ---- Time, names, chance, work ---- */

coop_routine(sleeper, int n; int64_t ns, due; coop_value r;)
{
    coop_begin;
    my->due = coop_clock(coop_this) + my->ns;
    coop_trap(coop_void, Sleep, .ns = my->ns);
    CU_ASSERT(coop_clock(coop_this) >= my->due);
    say("%d", my->n);
    coop_end;
}

coop_routine(sleepers, int unused;)
{
    coop_begin;
    coop_spawn(sleeper, .n = 1, .ns = COOP_MS(20));
    coop_spawn(sleeper, .n = 2, .ns = COOP_MS(1));
    coop_spawn(sleeper, .n = 3, .ns = COOP_MS(10));
    coop_spawn(sleeper, .n = 4, .ns = 0);
    coop_end;
}

static void sleepers_wake_in_order(void)
{
    BOTH(0, "4 2 3 1", sleepers);
}

static coop_value twice(void *arg)
{
    return *(int *)arg * 2;
}

coop_routine(outside_things, coop_value n; int64_t wall; int arg; coop_address found[4];
             unsigned char bytes[2][16];)
{
    coop_begin;
    my->arg = 21;
    coop_trap(my->n, Work, .run = twice, .arg = &my->arg);
    say("%td", my->n);
    coop_trap(my->n, Resolve, .name = "127.0.0.1", .addresses = my->found, .max = 4);
    say("%td %s", my->n, my->found[0].text);
    coop_trap(my->n, Resolve, .name = "::1", .addresses = my->found, .max = 4);
    say("%td %s", my->n, my->found[0].text);
    coop_trap(my->n, Resolve, .name = "localhost", .addresses = my->found, .max = 1);
    say("%td", my->n);
    coop_trap(my->n, Random, .buf = my->bytes[0], .len = 16);
    coop_trap(my->n, Random, .buf = my->bytes[1], .len = 16);
    say("%td %d", my->n, memcmp(my->bytes[0], my->bytes[1], 16) != 0);
    coop_trap(coop_void, Now, .wall = true, .at = &my->wall);
    CU_ASSERT(my->wall > COOP_S(1200000000));
    coop_end;
}

static void work_names_chance_and_the_date(void)
{
    BOTH(0, "42 1 127.0.0.1 1 [::1] 1 16 1", outside_things);
}

static const suite_test tests[] = {
    TEST(an_echo_server_and_its_clients),
    TEST(a_thousand_connections_at_once),
    TEST(much_data_both_ways),
    TEST(sleepers_wake_in_order),
    TEST(work_names_chance_and_the_date),
};

int main(int argc, char **argv)
{
    return world_main("machines", tests, SUITE_COUNT(tests), argc, argv, "");
}
