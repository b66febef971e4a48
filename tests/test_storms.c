/* Clients that do their worst: reset and half-close at every point, come when no descriptor
   is left, send a byte now and then, never read. It costs nobody else anything. */
#include "bothends.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- A server of lines, whose clients are counted by how they ended ---- */

struct hall {
    int listener, begun, ended, ill, strange;
    coop_tid server;
    char at[64];
};

coop_routine(guest, int fd; struct hall *hall; coop_stream *s; coop_value r; char *line;)
{
    coop_begin;
    my->hall->begun++;
    my->s = coop_stream_open(my->fd, 100);
    for (;;) {
        coop_await(my->r, coop_read_line, .stream = my->s, .line = &my->line);
        if (my->r <= 0)
            break;
        my->r = coop_stream_print(my->s, "%s\n", my->line);
        if (my->r < 0)
            break;
    }
    coop_finally;
    coop_await(coop_void, coop_stream_close, .stream = my->s, .fd = my->fd);
    my->hall->ended++;
    my->hall->ill += my->r < 0;
    my->hall->strange += my->r < 0 && my->r != -ECONNRESET && my->r != -EPIPE;
    coop_end;
}

static coop_coroutine *let_in(int fd, const char *peer, void *arg)
{
    (void)peer;
    return coop_create(guest, .fd = fd, .hall = arg);
}

coop_routine(open_hall, struct hall *hall;)
{
    coop_begin;
    coop_await(my->hall->listener, coop_listen, .address = "tcp://127.0.0.1:0",
               .bound = my->hall->at, .bound_size = sizeof my->hall->at);
    CU_ASSERT_FATAL(my->hall->listener >= 0);
    coop_trap(my->hall->server, NewTask,
              .target = coop_create(coop_serve, .fd = my->hall->listener, .client = let_in,
                                    .arg = my->hall, .grace = -1));
    coop_end;
}

coop_routine(close_hall, struct hall *hall; coop_value r;)
{
    coop_begin;
    coop_trap(coop_void, Close, .fd = my->hall->listener);
    coop_trap(my->r, WaitTask, .tid = my->hall->server);
    IS(my->r, 0);
    IS(my->hall->ended, my->hall->begun);
    IS(my->hall->strange, 0);
    coop_end;
}

/* ---- Every point of a session: sent and received byte by byte */

enum { LINES = 4, LENGTH = 5, POINTS = 2 * LINES * LENGTH + 1 };
static const char line[] = "echo\n";

/* It goes on up to a point: points that are odd in the number of lines are of receiving. */
coop_routine(go_up_to, int fd, point, i; coop_value r; char byte;)
{
    coop_begin;
    for (my->i = 0; my->i < my->point; my->i++) {
        if (my->i / LENGTH % 2 == 0)
            coop_trap(my->r, Send, .fd = my->fd, .buf = &line[my->i % LENGTH], .len = 1);
        else
            coop_trap(my->r, Recv, .fd = my->fd, .buf = &my->byte, .len = 1);
        IS(my->r, 1);
        CU_ASSERT(my->i / LENGTH % 2 == 0 || my->byte == line[my->i % LENGTH]);
    }
    coop_end;
}

coop_routine(resets, int point, fd; struct hall *hall;)
{
    coop_begin;
    coop_trap(my->fd, Connect, .address = my->hall->at);
    CU_ASSERT_FATAL(my->fd >= 0);
    coop_await(coop_void, go_up_to, .fd = my->fd, .point = my->point);
    need(setsockopt(my->fd, SOL_SOCKET, SO_LINGER,
                    &(struct linger){ .l_onoff = 1, .l_linger = 0 },
                    sizeof(struct linger)) == 0, "SO_LINGER");
    coop_finally;
    coop_trap(coop_void, Close, .fd = my->fd);
    coop_end;
}

/* All that was sent up to there is answered, the last line too if it has no end. */
coop_routine(half_closes, int point, fd; struct hall *hall; size_t got, due; coop_value r;
             char buf[LINES * LENGTH + 1];)
{
    coop_begin;
    coop_trap(my->fd, Connect, .address = my->hall->at);
    CU_ASSERT_FATAL(my->fd >= 0);
    coop_await(coop_void, go_up_to, .fd = my->fd, .point = my->point);
    coop_trap(my->r, Shutdown, .fd = my->fd);
    IS(my->r, 0);
    do {
        coop_trap(my->r, Recv, .fd = my->fd, .buf = my->buf, .len = sizeof my->buf);
        my->got += my->r > 0 ? (size_t)my->r : 0;
    } while (my->r > 0);
    IS(my->r, 0);
    int within = my->point % (2 * LENGTH);
    my->due = within <= LENGTH ? (size_t)within : (size_t)(2 * LENGTH - within);
    if (within > 0 && within < LENGTH)
        my->due++;
    IS(my->got, my->due);
    coop_finally;
    coop_trap(coop_void, Close, .fd = my->fd);
    coop_end;
}

coop_routine(bystander, int fd; struct hall *hall; int *well;)
{
    coop_begin;
    coop_trap(my->fd, Connect, .address = my->hall->at);
    coop_await(coop_void, go_up_to, .fd = my->fd, .point = POINTS - 1);
    coop_trap(coop_void, Close, .fd = my->fd);
    ++*my->well;
    coop_end;
}

coop_routine(at_every_point, bool reset; struct hall hall; int point, well;
             coop_tid one, other;)
{
    coop_begin;
    coop_await(coop_void, open_hall, .hall = &my->hall);
    for (my->point = 0; my->point < POINTS; my->point++) {
        my->one = coop_spawn(bystander, .hall = &my->hall, .well = &my->well);
        my->other = my->reset
            ? coop_spawn(resets, .hall = &my->hall, .point = my->point)
            : coop_spawn(half_closes, .hall = &my->hall, .point = my->point);
        coop_trap(coop_void, WaitTask, .tid = my->one);
        coop_trap(coop_void, WaitTask, .tid = my->other);
        if (my->point > 0)
            IS(my->hall.ill <= my->point + 1, 1);
    }
    coop_await(coop_void, close_hall, .hall = &my->hall);
    IS(my->well, POINTS);
    if (my->reset)
        CU_ASSERT(my->hall.ill > POINTS / 2)
    else
        IS(my->hall.ill, 0);
    coop_end;
}

static void F2_reset_at_every_point(void)
{
    OUTSIDE(0, at_every_point, .reset = true);
}

static void half_close_at_every_point(void)
{
    ON_BOTH(0, at_every_point);
}

/* ---- More clients than descriptors */

enum { CROWD = 30, ROOM = 5 };

static void allow_more(int n)
{
    struct rlimit limit;
    need(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
    limit.rlim_cur += (rlim_t)n;
    need(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
}

coop_routine(asks, int fd; coop_value r; char buf[LENGTH];)
{
    coop_begin;
    coop_trap(my->r, Send, .fd = my->fd, .buf = line, .len = LENGTH);
    IS(my->r, LENGTH);
    coop_trap(my->r, Recv, .fd = my->fd, .buf = my->buf, .len = LENGTH);
    IS(my->r, LENGTH);
    coop_finally;
    coop_trap(coop_void, Close, .fd = my->fd);
    coop_end;
}

coop_routine(crowd, struct hall hall; int i, fds[CROWD]; coop_tid tids[CROWD];)
{
    coop_begin;
    coop_await(coop_void, open_hall, .hall = &my->hall);
    coop_await(coop_void, settle);
    for (my->i = 0; my->i < CROWD; my->i++)
        my->fds[my->i] = connect_to(my->hall.listener);
    allow_no_more_descriptors();
    allow_more(ROOM);
    for (my->i = 0; my->i < CROWD; my->i++)
        my->tids[my->i] = coop_spawn(asks, .fd = my->fds[my->i]);
    for (my->i = 0; my->i < CROWD; my->i++)
        coop_trap(coop_void, WaitTask, .tid = my->tids[my->i]);
    allow_descriptors_again();
    coop_await(coop_void, close_hall, .hall = &my->hall);
    IS(my->hall.begun, CROWD);
    IS(my->hall.ill, 0);
    coop_end;
}

static void EMFILE_storm(void)
{
    if (!under_valgrind())
        OUTSIDE(0, crowd);
}

/* ---- One byte at a time */

static coop_value (*real_send)(coop_machine *, int, const void *, size_t);

static coop_value send_one(coop_machine *m, int fd, const void *buf, size_t len)
{
    return real_send(m, fd, buf, len ? 1 : 0);
}

coop_routine(receives, int fd; size_t len; coop_value r;)
{
    coop_begin;
    coop_await(my->r, recv_pattern, .fd = my->fd, .len = my->len);
    IS(my->r, my->len);
    coop_end;
}

coop_routine(bytes, size_t len; struct hall hall; int ends[2], well; coop_tid tid;
             coop_value r;)
{
    coop_begin;
    coop_machine *m = coop_this->machine;
    real_send = m->send;
    m->send = send_one;
    coop_await(my->r, connect_pair, .client = &my->ends[0], .server = &my->ends[1]);
    my->tid = coop_spawn(receives, .fd = my->ends[1], .len = my->len);
    coop_await(my->r, send_pattern, .fd = my->ends[0], .len = my->len);
    IS(my->r, my->len);
    coop_trap(coop_void, WaitTask, .tid = my->tid);
    coop_trap(coop_void, Close, .fd = my->ends[0]);
    coop_trap(coop_void, Close, .fd = my->ends[1]);
    coop_await(coop_void, open_hall, .hall = &my->hall);
    coop_await(coop_void, bystander, .hall = &my->hall, .well = &my->well);
    coop_await(coop_void, close_hall, .hall = &my->hall);
    IS(my->hall.ill, 0);
    coop_end;
}

static void sends_of_one_byte_each(void)
{
    ON_BOTH(0, bytes, .len = 20000);
}

/* ---- Slow clients, and those who never read */

enum { LORISES = 20, SECONDS = 60 };

coop_routine(loris, struct hall *hall; int fd, i; coop_value r;)
{
    coop_begin;
    coop_trap(my->fd, Connect, .address = my->hall->at);
    for (my->i = 0; my->i < SECONDS; my->i++) {
        coop_trap(my->r, Send, .fd = my->fd, .buf = "x", .len = 1);
        IS(my->r, 1);
        coop_trap(coop_void, Sleep, .ns = COOP_S(1));
    }
    coop_finally;
    coop_trap(coop_void, Close, .fd = my->fd);
    coop_end;
}

/* The others are served at once all the while: no time passes. */
coop_routine(among_lorises, struct hall hall; int i, well; int64_t before, after;)
{
    coop_begin;
    coop_await(coop_void, open_hall, .hall = &my->hall);
    for (my->i = 0; my->i < LORISES; my->i++)
        coop_spawn(loris, .hall = &my->hall);
    for (my->i = 0; my->i < SECONDS; my->i++) {
        coop_trap(coop_void, Now, .at = &my->before);
        coop_await(coop_void, bystander, .hall = &my->hall, .well = &my->well);
        coop_trap(coop_void, Now, .at = &my->after);
        CU_ASSERT(my->before == my->after);
        coop_trap(coop_void, Sleep, .ns = COOP_S(1));
    }
    IS(my->well, SECONDS);
    coop_trap(coop_void, Sleep, .ns = COOP_S(2));
    IS(my->hall.ended, LORISES + SECONDS);
    coop_await(coop_void, close_hall, .hall = &my->hall);
    coop_end;
}

static void slow_loris_delays_nobody(void)
{
    ON_SIM(0, among_lorises);
}

enum { MUCH = 1 << 22, DEAF = 10 };
static char much[MUCH];

coop_routine(sends, int fd; coop_value *r;)
{
    coop_begin;
    coop_trap(*my->r, Send, .fd = my->fd, .buf = much, .len = MUCH);
    coop_end;
}

/* What the host takes is bounded, and what is ours does not grow. */
coop_routine(among_deaf, int here[DEAF], there[DEAF], i; coop_tid tids[DEAF];
             coop_value r[DEAF]; coop_info info; size_t bytes;)
{
    coop_begin;
    for (my->i = 0; my->i < DEAF; my->i++) {
        my->here[my->i] = connection(&my->there[my->i]);
        setsockopt(my->here[my->i], SOL_SOCKET, SO_SNDBUF, &(int){ 8192 }, sizeof(int));
        setsockopt(my->there[my->i], SOL_SOCKET, SO_RCVBUF, &(int){ 8192 }, sizeof(int));
        my->tids[my->i] = coop_spawn(sends, .fd = my->here[my->i], .r = &my->r[my->i]);
    }
    coop_await(coop_void, settle);
    coop_await(coop_void, settle);
    for (my->i = 0; my->i < DEAF; my->i++) {
        waits_in(my->tids[my->i], SEND);
        size_t sent = 0;
        const char *tail = strrchr(outside_call(my->tids[my->i]), '(');
        CU_ASSERT(tail && sscanf(tail, "(%zu sent)", &sent) == 1 && sent < MUCH / 2);
        IS(coop_inspect(my->tids[my->i], &my->info), 0);
        CU_ASSERT(my->info.bytes < 2000);
    }
    for (my->i = 0; my->i < DEAF; my->i++)
        coop_trap(coop_void, Close, .fd = my->here[my->i]);
    for (my->i = 0; my->i < DEAF; my->i++) {
        coop_trap(coop_void, WaitTask, .tid = my->tids[my->i]);
        IS(my->r[my->i], -EBADF);
        close(my->there[my->i]);
    }
    coop_end;
}

static void peers_that_never_read(void)
{
    OUTSIDE(0, among_deaf);
}

static const suite_test tests[] = {
    TEST(F2_reset_at_every_point),
    TEST(half_close_at_every_point),
    TEST(EMFILE_storm),
    TEST(sends_of_one_byte_each),
    TEST(slow_loris_delays_nobody),
    TEST(peers_that_never_read),
};

int main(int argc, char **argv)
{
    return suite_main("storms", tests, SUITE_COUNT(tests), argc, argv);
}
