/* demos/pubsub with real clients: what one says the others are told, and one who does not
   read keeps nobody waiting. */
#include "config.h"
#include "suite.h"
#include "talk.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TEST(name) { #name, name }

static talk out, ann, bob, sue;
static pid_t server;
static int port;

static void start(void)
{
    if (server)                        /* a failed test left it */
        kill(server, SIGKILL), talk_status(server);
    server = talk_start(&out, 0, "demos/pubsub", "--port", "0", (char *)NULL);
    port = (int)talk_number(&out, "tcp://127.0.0.1:", "\n");
    CU_ASSERT_FATAL(port > 0);
}

static void stop(void)
{
    kill(server, SIGINT);
    CU_ASSERT_EQUAL(talk_status(server), 0);
    server = 0;
    close(out.fd);
}

static void come(talk *guest, const char *name)
{
    talk_connect(guest, port);
    talk_send(guest, name);
    talk_send(guest, "\n");
    GETS(guest, name);
    GETS(guest, " is here\n");
}

static void what_one_says_the_others_are_told(void)
{
    start();
    come(&ann, "Ann");
    come(&bob, "Bob");
    come(&sue, "Sue");
    GETS(&ann, "Bob is here\nSue is here\n");
    GETS(&bob, "Sue is here\n");
    talk_send(&bob, "one\ntw");
    talk_send(&bob, "o\n");
    GETS(&ann, "Bob: one\nBob: two\n");
    GETS(&sue, "Bob: one\nBob: two\n");
    talk_send(&sue, "me too\n");
    GETS(&bob, "Sue: me too\n");       /* and nothing of what he said himself */
    talk_close(&sue);
    GETS(&bob, "Sue is gone\n");
    talk_half_close(&bob);
    CU_ASSERT_STRING_EQUAL(talk_rest(&bob), "");
    GETS(&ann, "Sue: me too\nSue is gone\nBob is gone\n");
    stop();
    CU_ASSERT_STRING_EQUAL(talk_rest(&ann), "");
    talk_close(&ann);
    talk_close(&bob);
}

static void a_reset_is_an_end(void)
{
    start();
    come(&ann, "Ann");
    come(&bob, "Bob");
    GETS(&ann, "Bob is here\n");
    talk_reset(&bob);
    GETS(&ann, "Bob is gone\n");
    talk_connect(&sue, port);          /* has no name yet */
    talk_reset(&sue);
    come(&bob, "Bob");
    GETS(&ann, "Bob is here\n");
    stop();
    talk_close(&ann);
    talk_close(&bob);
}

static bool has_something(const talk *guest)
{
    struct pollfd p = { .fd = guest->fd, .events = POLLIN };
    return poll(&p, 1, 0) == 1;
}

/* She is dropped when her queue and her socket's buffers are full. Bob reads at times. */
static void one_who_does_not_read_is_dropped(void)
{
    static char lines[200 * 100 + 1];
    int small = 4096, rounds = 0;
    for (size_t i = 0; i < sizeof lines - 1; i++)
        lines[i] = i % 200 == 199 ? '\n' : 'x';
    start();
    come(&ann, "Ann");
    come(&bob, "Bob");
    come(&sue, "Sue");
    CU_ASSERT_EQUAL(setsockopt(sue.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
    GETS(&ann, "Bob is here\nSue is here\n");
    for (; !has_something(&ann) && rounds < 2000; rounds++) {
        talk_send(&ann, lines);
        talk_send(&ann, "end of a round\n");
        GETS(&bob, "Ann: end of a round\n");
    }
    CU_ASSERT(rounds < 2000);
    GETS(&ann, "Sue is gone\n");
    GETS(&out, "a guest was cancelled: does not read\n");
    talk_send(&ann, "still here\n");
    GETS(&bob, "Ann: still here\n");
    stop();
    talk_close(&ann);
    talk_close(&bob);
    talk_close(&sue);
}

static const suite_test tests[] = {
    TEST(what_one_says_the_others_are_told),
    TEST(a_reset_is_an_end),
    TEST(one_who_does_not_read_is_dropped),
};

int main(int argc, char **argv)
{
    return suite_main("pubsub", tests, SUITE_COUNT(tests), argc, argv);
}
