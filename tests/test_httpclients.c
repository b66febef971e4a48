/* demos/httpd and clients that are slow, silent, gone or too many; and how it stops. */
#include "config.h"
#include "suite.h"
#include "web.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static talk t, u;

static const char get[] = "GET /small.txt HTTP/1.1\r\nHost: x\r\n\r\n";
static const char get_large[] = "GET /large HTTP/1.1\r\nHost: x\r\n\r\n";

/* Waits until the connection is gone, without reading. */
static bool is_reset(talk *client)
{
    struct pollfd wait = { .fd = client->fd };

    return poll(&wait, 1, 30000) == 1 && (wait.revents & (POLLERR | POLLHUP));
}

/* Reads and drops; how many bytes came up to the end of the stream. */
static long long drain(talk *client)
{
    long long sum = 0;
    ssize_t n;

    while ((n = read(client->fd, client->text, sizeof client->text)) > 0)
        sum += n;
    CU_ASSERT(n == 0);
    return sum;
}

/* A byte now and then does not keep a request alive. */
static void slow_loris(void)
{
    const char *request = get;
    struct pollfd wait;

    web_start("--header-time", "1");
    talk_connect(&t, web_port);
    wait = (struct pollfd){ .fd = t.fd, .events = POLLIN };
    do
        talk_send_bytes(&t, request++, 1);
    while (request[20] && poll(&wait, 1, 150) == 0);
    CU_ASSERT(!strncmp(talk_rest(&t), "HTTP/1.1 408 ", 13));
    talk_close(&t);
    talk_connect(&t, web_port);
    talk_send(&t, "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na");
    CU_ASSERT(!strncmp(talk_rest(&t), "HTTP/1.1 408 ", 13));
    talk_close(&t);
    web_stop();
}

static void idle(void)
{
    web_start("--idle", "1");
    talk_connect(&t, web_port);
    CU_ASSERT_STRING_EQUAL(talk_rest(&t), "");
    talk_close(&t);
    talk_connect(&t, web_port);
    talk_send(&t, get);
    GETS(&t, "\r\n\r\n0123456789");
    CU_ASSERT_STRING_EQUAL(talk_rest(&t), "");
    talk_close(&t);
    web_stop();
}

/* Takes no answer: not a large file, nor the many to requests that it goes on sending. */
static void never_reads(void)
{
    char many[sizeof get * 100] = "";
    long before;

    web_start("--write-time", "1");
    for (int i = 0; i < 100; i++)
        strcat(many, get);
    CU_ASSERT(web_gives("GET /large HTTP/1.1\r\n" FIRST "Range: bytes=0-9\r\n", 206));
    before = talk_memory(web);
    talk_connect(&t, web_port);
    talk_send(&t, get_large);
    CU_ASSERT(is_reset(&t));
    talk_close(&t);
    talk_connect(&t, web_port);
    fcntl(t.fd, F_SETFL, O_NONBLOCK);
    for (;;) {
        struct pollfd wait = { .fd = t.fd, .events = POLLOUT };
        ssize_t n = send(t.fd, many, strlen(many), MSG_NOSIGNAL);

        if ((n < 0 && errno != EAGAIN) || poll(&wait, 1, 30000) != 1)
            break;
    }
    CU_ASSERT(is_reset(&t));
    talk_close(&t);
    CU_ASSERT(talk_memory(web) - before < 1024);
    CU_ASSERT(web_gives("GET / HTTP/1.1\r\n" FIRST, 200));
    web_stop();
}

/* Takes longer than the limit, but goes on. Over a local socket, whose buffers are small
   enough for this to show. */
static void reads_slowly(void)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    char address[128];
    long long sum;

    snprintf(to.sun_path, sizeof to.sun_path, "%s", web_path("socket"));
    snprintf(address, sizeof address, "unix://%s", to.sun_path);
    web_start_at(address, "--write-time", "2");
    t.len = 0;
    t.fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CU_ASSERT_FATAL(t.fd >= 0 && connect(t.fd, (struct sockaddr *)&to, sizeof to) == 0);
    talk_send(&t, "GET /large HTTP/1.1\r\n" FIRST "Range: bytes=0-3999999\r\n\r\n");
    GETS(&t, "\r\n\r\n");
    sum = (long long)t.len;
    for (int i = 0; i < 14; i++) {
        ssize_t n = recv(t.fd, t.text, 40000, MSG_WAITALL);

        CU_ASSERT_FATAL(n == 40000);
        sum += n;
        poll(NULL, 0, 300);
    }
    CU_ASSERT(sum + drain(&t) == 4000000);
    talk_close(&t);
    web_stop();
}

static void gone(void)
{
    web_start(NULL, NULL);
    for (size_t i = 0; i < strlen(get); i += 7) {
        talk_connect(&t, web_port);
        talk_send_bytes(&t, get, i);
        if (i % 2)
            talk_reset(&t);
        else
            talk_close(&t);
    }
    for (int i = 0; i < 20; i++) {
        talk_connect(&t, web_port);
        talk_send(&t, get_large);
        GETS(&t, "\r\n\r\n");
        talk_reset(&t);
    }
    talk_connect(&t, web_port);
    talk_send(&t, "GET / HT");
    talk_half_close(&t);
    CU_ASSERT_STRING_EQUAL(talk_rest(&t), "");
    talk_close(&t);
    talk_connect(&t, web_port);
    talk_send(&t, get);
    talk_send(&t, get);
    talk_half_close(&t);
    GETS(&t, "\r\n\r\n0123456789");
    CU_ASSERT_PTR_NOT_NULL(strstr(talk_rest(&t), "\r\n\r\n0123456789"));
    talk_close(&t);
    web_stop();
}

/* A file that becomes shorter while it is sent: the client sees that not all has come. */
static void shortened(void)
{
    int file;

    web_start(NULL, NULL);
    web_write("changing", "");
    file = open(web_path("changing"), O_RDWR);
    CU_ASSERT_FATAL(file >= 0 && ftruncate(file, 1 << 28) == 0);
    web_ask(&t, "GET /changing HTTP/1.1\r\n" FIRST);
    GETS(&t, "\r\nContent-Length: 268435456\r\n");
    CU_ASSERT_FATAL(ftruncate(file, 1 << 20) == 0);
    CU_ASSERT(drain(&t) < 1 << 28);
    talk_close(&t);
    close(file);
    remove(web_path("changing"));
    web_stop();
}

static void too_many(void)
{
    web_start("--max-clients", "2");
    for (int i = 0; i < 2; i++) {
        talk *client = i ? &u : &t;

        talk_connect(client, web_port);
        talk_send(client, get);
        GETS(client, "\r\n\r\n0123456789");
    }
    talk_close(&u);
    talk_connect(&u, web_port);
    talk_send(&u, get);
    GETS(&u, "\r\n\r\n0123456789");
    {
        talk third;

        talk_connect(&third, web_port);
        talk_send(&third, get);
        talk_send(&t, get);
        GETS(&t, "\r\n\r\n0123456789");
        CU_ASSERT(recv(third.fd, third.text, 1, MSG_DONTWAIT) < 0);
        talk_close(&t);
        GETS(&third, "\r\n\r\n0123456789");
        talk_close(&third);
    }
    talk_close(&u);
    web_stop();
}

/* What runs is finished; who asks nothing is let go; nobody else comes in. */
static void stops_in_order(void)
{
    struct pollfd wait;
    long long rest;

    web_start(NULL, NULL);
    talk_connect(&t, web_port);
    talk_send(&t, "GET /large HTTP/1.1\r\nHost: x\r\nRange: bytes=0-49999999\r\n\r\n");
    GETS(&t, "\r\n\r\n");
    rest = 50000000 - (long long)t.len;
    talk_connect(&u, web_port);
    talk_send(&u, get);
    GETS(&u, "\r\n\r\n0123456789");
    kill(web, SIGTERM);
    CU_ASSERT_STRING_EQUAL(talk_rest(&u), "");
    talk_close(&u);
    wait = (struct pollfd){ .fd = web_says.fd, .events = POLLIN };
    CU_ASSERT(poll(&wait, 1, 0) == 0);
    CU_ASSERT(drain(&t) == rest);
    talk_close(&t);
    CU_ASSERT(web_status() == 0);
}

/* A client that does not finish gets no more than the grace. */
static void grace(void)
{
    web_start("--grace", "1");
    talk_connect(&t, web_port);
    talk_send(&t, get_large);
    GETS(&t, "\r\n\r\n");
    kill(web, SIGTERM);
    CU_ASSERT(web_status() == 0);
    talk_close(&t);
    web_start("--grace", "1000000");
    talk_connect(&t, web_port);
    talk_send(&t, get_large);
    GETS(&t, "\r\n\r\n");
    talk_connect(&u, web_port);
    talk_send(&u, get);
    GETS(&u, "\r\n\r\n0123456789");
    kill(web, SIGINT);
    CU_ASSERT_STRING_EQUAL(talk_rest(&u), "");
    kill(web, SIGINT);
    CU_ASSERT(web_status() == 0);
    talk_close(&u);
    talk_close(&t);
}

static void workers(void)
{
    web_start("--workers", "3");
    for (int i = 0; i < 30; i++)
        CU_ASSERT(web_gives("GET / HTTP/1.1\r\n" FIRST, 200));
    web_stop();
    web_start("--workers", "2");   /* they end with the one that started them */
    talk_connect(&t, web_port);
    talk_send(&t, get);
    GETS(&t, "\r\n\r\n0123456789");
    kill(web, SIGKILL);
    CU_ASSERT_STRING_EQUAL(talk_rest(&t), "");
    talk_close(&t);
    CU_ASSERT_PTR_NOT_NULL(talk_rest(&web_says));
    CU_ASSERT(web_status() == 1000 + SIGKILL);
}

static int run(const char *option, const char *value)
{
    const char *program = getenv("HTTPD");
    int status = talk_status(talk_start(&u, 0, program ? program : "demos/httpd",
                                        option, value, NULL));

    CU_ASSERT(strlen(talk_rest(&u)) > 0);
    talk_close(&u);
    return status;
}

static void usage(void)
{
    CU_ASSERT(run("--help", NULL) == 0);
    CU_ASSERT(run("--port", "65536") == 2);
    CU_ASSERT(run("--port", NULL) == 2);
    CU_ASSERT(run("--workers", "0") == 2);
    CU_ASSERT(run("one", "two") == 2);
    CU_ASSERT(run("tcp://127.0.0.1:0", "tcp://127.0.0.1:0") == 2);
    CU_ASSERT(run("/no/such/folder", NULL) == 1);
    CU_ASSERT(run("tcp://nonsense", NULL) == 1);
    web_start(NULL, NULL);
    {
        char port[16];

        snprintf(port, sizeof port, "%d", web_port);
        CU_ASSERT(run("--port", port) == 1);
    }
    web_stop();
}

static const suite_test tests[] = {
    { "slow_loris", slow_loris },
    { "idle", idle },
    { "never_reads", never_reads },
    { "reads_slowly", reads_slowly },
    { "gone", gone },
    { "shortened", shortened },
    { "too_many", too_many },
    { "stops_in_order", stops_in_order },
    { "grace", grace },
    { "workers", workers },
    { "usage", usage },
};

int main(int argc, char **argv)
{
    return suite_main("httpclients", tests, SUITE_COUNT(tests), argc, argv);
}
