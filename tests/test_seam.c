/* The simulated machine's table of functions called by hand: what watch and poll promise,
   descriptors, and memory that is exhausted at any place. */
#include "blocks.h"
#include "both.h"

#include <errno.h>
#include <string.h>

static bool stream;

static coop_machine *m;
static coop_fired fired[8];

static coop_spot spot(const char *address)
{
    coop_spot at;
    IS(coop_spot_from(address, &at), 0);
    return at;
}

static int listens(const char *address, int backlog)
{
    coop_spot at = spot(address);
    return m->listen(m, &at, backlog, false);
}

static int connects(const char *address)
{
    coop_spot to = spot(address);
    return m->connect(m, &to);
}

static int poll_now(void)
{
    memset(fired, 0, sizeof fired);
    return m->poll(m, 0, fired, 8);
}

static void fired_is(int i, int fd, unsigned events)
{
    IS(fired[i].fd, fd);
    IS(fired[i].events, events);
}

/* Descriptors 3 and 5 are the ends of a connection, 4 listens. */
static void begin(void)
{
    m = coop_sim(1);
    need(m != NULL, "coop_sim");
    IS(listens("tcp://:80", 0), 3);
    IS(listens("tcp://:81", 0), 4);
    IS(m->close(m, 3), 0);
    IS(connects("tcp://127.0.0.1:81"), 3);
    IS(poll_now(), 0);
    IS(m->connected(m, 3), 0);
    IS(m->accept(m, 4, &stream), 5);
}

static void end(void)
{
    m->free(m);
}

static void poll_tells_what_is_there_as_long_as_it_is(void)
{
    begin();
    IS(m->watch(m, 5, COOP_READ | COOP_WRITE | COOP_ANEW), 0);
    IS(m->watch(m, 4, COOP_READ), 0);
    IS(m->watch(m, 3, COOP_READ), 0);
    IS(poll_now(), 1);
    fired_is(0, 5, COOP_WRITE);
    IS(m->send(m, 3, "a", 1), 1);
    IS(m->send(m, 5, "b", 1), 1);
    IS(connects("tcp://127.0.0.1:81"), 6);
    for (int i = 0; i < 3; i++) {
        IS(poll_now(), 3);
        fired_is(0, 3, COOP_READ);
        fired_is(1, 4, COOP_READ);
        fired_is(2, 5, COOP_READ | COOP_WRITE);
    }
    IS(m->poll(m, COOP_S(1), fired, 2), 2);
    fired_is(1, 4, COOP_READ);
    CU_ASSERT(m->now(m) == 0);
    IS(m->watch(m, 3, 0), 0);
    IS(m->watch(m, 4, 0), 0);
    IS(m->watch(m, 5, COOP_WRITE), 0);
    IS(poll_now(), 1);
    fired_is(0, 5, COOP_WRITE);
    end();
}

static void poll_tells_the_end(void)
{
    begin();
    m->watch(m, 3, COOP_READ);
    m->watch(m, 5, COOP_WRITE);
    IS(m->shutdown(m, 5, COOP_SEND), 0);
    IS(poll_now(), 2);
    fired_is(0, 3, COOP_READ | COOP_OVER);
    fired_is(1, 5, COOP_WRITE);
    IS(m->close(m, 3), 0);
    IS(poll_now(), 2);
    fired_is(0, 3, COOP_BAD);
    fired_is(1, 5, COOP_WRITE | COOP_OVER);
    IS(m->watch(m, 3, 0), 0);
    IS(m->watch(m, 3, COOP_READ), -EBADF);
    IS(m->watch(m, 1000000, COOP_READ), -EBADF);
    IS(m->watch(m, -1, COOP_READ), -EBADF);
    IS(poll_now(), 1);
    end();
}

static void a_reset_is_told_to_both_directions(void)
{
    char c;
    begin();
    IS(m->send(m, 3, "a", 1), 1);
    IS(m->send(m, 5, "b", 1), 1);
    IS(m->close(m, 5), 0);
    m->watch(m, 3, COOP_WRITE);
    IS(poll_now(), 1);
    fired_is(0, 3, COOP_WRITE | COOP_OVER);
    IS(m->recv(m, 3, &c, 1), 1);
    IS(m->send(m, 3, "c", 1), -ECONNRESET);
    IS(m->send(m, 3, "c", 1), -EPIPE);
    IS(m->recv(m, 3, &c, 1), 0);
    end();
}

static void buffers_are_full_and_have_room_again(void)
{
    static char much[100000];
    coop_value n, sent = 0, pieces = 0;
    begin();
    m->watch(m, 3, COOP_WRITE);
    while ((n = m->send(m, 3, much, sizeof much)) > 0) {
        sent += n;
        pieces++;
    }
    IS(n, -EAGAIN);
    IS(sent, 16384);
    CU_ASSERT(pieces > 1);
    IS(poll_now(), 0);
    IS(m->recv(m, 5, much, 1), 1);
    IS(poll_now(), 1);
    IS(m->send(m, 3, much, sizeof much), 1);
    for (pieces = 0; (n = m->recv(m, 5, much, sizeof much)) > 0; pieces++)
        sent -= n;
    IS(n, -EAGAIN);
    IS(sent, 0);
    CU_ASSERT(pieces > 1);
    end();
}

static void a_pending_connection_comes_when_there_is_room(void)
{
    char c;
    begin();
    IS(listens("tcp://:82", 1), 6);
    IS(connects("tcp://127.0.0.1:82"), 7);
    IS(poll_now(), 0);
    IS(connects("tcp://127.0.0.1:82"), 8);
    m->watch(m, 8, COOP_WRITE | COOP_READ);
    IS(poll_now(), 0);
    IS(m->connected(m, 8), -EAGAIN);
    IS(m->send(m, 8, "x", 1), -EAGAIN);
    IS(m->recv(m, 8, &c, 1), -EAGAIN);
    IS(m->shutdown(m, 8, COOP_SEND), -ENOTCONN);
    IS(m->connected(m, 7), 0);
    IS(m->accept(m, 6, &stream), 9);
    IS(poll_now(), 1);
    fired_is(0, 8, COOP_WRITE);
    IS(m->connected(m, 8), 0);
    IS(connects("tcp://127.0.0.1:82"), 10);
    m->watch(m, 10, COOP_WRITE);
    IS(m->close(m, 6), 0);
    IS(poll_now(), 2);
    fired_is(0, 8, COOP_READ | COOP_WRITE | COOP_OVER);
    fired_is(1, 10, COOP_WRITE | COOP_OVER);
    IS(m->recv(m, 8, &c, 1), -ECONNRESET);
    IS(m->connected(m, 10), -ECONNREFUSED);
    end();
}

static void ports_run_out_and_come_back(void)
{
    int fd = 0, last = 0;
    begin();
    while ((fd = connects("tcp://127.0.0.1:9")) >= 0) {
        last = fd;
        if (fd % 100 == 0)
            poll_now();
    }
    IS(fd, -EADDRNOTAVAIL);
    IS(last, 5 + 65536 - 49152 - 1);
    IS(listens("tcp://:0", 0), -EADDRINUSE);
    IS(m->close(m, 700), 0);
    IS(connects("tcp://127.0.0.1:9"), 700);
    IS(connects("tcp://127.0.0.1:9"), -EADDRNOTAVAIL);
    end();
}

static void it_only_waits_for_what_can_come(void)
{
    begin();
    m->watch(m, 3, COOP_READ);
    IS(m->poll(m, -1, fired, 8), -EDEADLK);
    IS(m->poll(m, 7, fired, 8), 0);
    CU_ASSERT(m->now(m) == 7);
    IS(m->poll(m, INT64_MAX, fired, 8), 0);
    CU_ASSERT(m->now(m) == INT64_MAX);
    CU_ASSERT(m->wall(m) == INT64_MAX);
    end();
}

static void bad_input_names(void)
{
    static const char *const names[] = {
        "", "[", "[]", "[::1", "::1]", "[::1]x", "[127.0.0.1]", "127.0.0.1x", "nowhere",
        "1111:2222:3333:4444:5555:6666:7777:8888:9999:0000:1111:2222:3333:4444", "[::1]]"
    };
    coop_address found[2];
    begin();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        IS(m->resolve(m, names[i], found, 2), -ENOENT);
    IS(m->resolve(m, "[0::0001]", found, 2), 1);
    CU_ASSERT_STRING_EQUAL(found[0].text, "[::1]");
    IS(m->resolve(m, "localhost", found, 2), 2);
    end();
}

struct labour { coop_call base; coop_job job; };

static coop_value labour(coop_machine *machine, coop_call *call)
{
    CU_ASSERT(machine == m);
    CU_ASSERT_PTR_NULL(call->next);
    return 7;
}

static void jobs_are_done_one_by_one_before_time_passes(void)
{
    struct labour a = { .job.run = labour }, b = a, c = a;
    begin();
    IS(m->work(m, &a.job), 0);
    IS(m->work(m, &b.job), 0);
    IS(m->work(m, &c.job), 0);
    CU_ASSERT(m->withdraw(m, &b.job));
    CU_ASSERT(!m->withdraw(m, &b.job));
    IS(poll_now(), 0);
    CU_ASSERT_PTR_NULL(m->finished(m));
    for (int i = 0; i < 3; i++)
        IS(m->poll(m, 10, fired, 8), 0);
    CU_ASSERT(!m->withdraw(m, &a.job));
    CU_ASSERT_PTR_EQUAL(m->finished(m), &a.job);
    CU_ASSERT_PTR_NULL(m->finished(m));
    IS(a.job.result, 7);
    IS(m->poll(m, -1, fired, 8), 0);
    CU_ASSERT_PTR_EQUAL(m->finished(m), &c.job);
    CU_ASSERT(m->now(m) == 0);
    IS(m->poll(m, 10, fired, 8), 0);
    CU_ASSERT(m->now(m) == 10);
    end();
}

static void random_bytes_come_from_the_seed(void)
{
    unsigned char bytes[2][1000], seen[256] = { 0 };
    int values = 0;
    for (uint64_t seed = 0; seed < 2; seed++) {
        coop_machine *sim = coop_sim(seed);
        IS(sim->random(sim, bytes[0], 500), 0);
        IS(sim->random(sim, bytes[0] + 500, 500), 0);
        if (seed)
            CU_ASSERT(memcmp(bytes[0], bytes[1], 1000));
        memcpy(bytes[1], bytes[0], 1000);
        sim->free(sim);
    }
    for (int i = 0; i < 1000; i++)
        values += !seen[bytes[0][i]]++;
    CU_ASSERT(values > 230);
    CU_ASSERT(memcmp(bytes[0], bytes[0] + 500, 500));
}

/* ---- Exhausted memory ---- */

static coop_value send_some(const void *text, size_t len)
{
    coop_value n = 0, sent = 0;
    while (n >= 0 && sent < (coop_value)len) {
        n = m->send(m, 5, (const char *)text + sent, len - (size_t)sent);
        sent += n > 0 ? n : 0;
    }
    return n < 0 ? n : sent;
}

/* Did every step of a session go well? It ends at the first that did not. */
static bool session(void)
{
    static char much[3000];
    m = coop_sim(1);
    if (!m)
        return false;
    bool well = listens("tcp://:80", 0) == 3 && connects("tcp://127.0.0.1:80") == 4;
    poll_now();
    well = well && m->connected(m, 4) == 0 && m->accept(m, 3, &stream) == 5
        && send_some(much, sizeof much) == sizeof much;
    for (int fd = 6; well && fd < 30; fd++)
        well = connects("tcp://127.0.0.1:80") == fd && poll_now() == 0
            && m->connected(m, fd) == 0;
    m->free(m);
    return well;
}

static void every_allocation_can_fail(void)
{
    const long before = blocks;
    unsigned long n;
    bool well = false;
    for (n = 1; !well && n < 1000; n++) {
        blocks_fail(n, false);
        well = session();
        CU_ASSERT(well == (asked < n));
        IS(blocks, before);
    }
    CU_ASSERT(n > 30);
    blocks_fail(0, false);
}

static const suite_test tests[] = {
    TEST(poll_tells_what_is_there_as_long_as_it_is),
    TEST(poll_tells_the_end),
    TEST(a_reset_is_told_to_both_directions),
    TEST(buffers_are_full_and_have_room_again),
    TEST(a_pending_connection_comes_when_there_is_room),
    TEST(ports_run_out_and_come_back),
    TEST(it_only_waits_for_what_can_come),
    TEST(bad_input_names),
    TEST(jobs_are_done_one_by_one_before_time_passes),
    TEST(random_bytes_come_from_the_seed),
    TEST(every_allocation_can_fail),
};

int main(int argc, char **argv)
{
    return suite_main("seam", tests, SUITE_COUNT(tests), argc, argv);
}
