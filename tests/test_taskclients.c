/* The task server's clients: whatever one of them sends, and however it goes, costs that
   one alone. */
#include "config.h"
#include "session.h"
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static talk a, b, c;

static void lines_of_any_kind(void)
{
    static const char telnet[] = "\xff\xfd\x03\xff\xfb\x18\xff\xfa\x18\x00xterm\xff\xf0"
                                 "echo \xff\xff telnet\r\nech";
    static const char rubbish[] = "\x00\x01\xfe\x7f\x1b[2J\n\xff\xfa\x80\xff\xf4\n";
    char line[2000];

    start();
    join(&a);
    memset(line, 'x', sizeof line);
    memcpy(line, "echo ", 5);
    talk_send_bytes(&a, line, 1024);
    talk_send(&a, "\r\n");
    GETS(&a, "xxxxx\n");
    talk_send_bytes(&a, line, 1025);
    GETS(&a, "the line is too long: 1024 bytes are the most\n");
    talk_send_bytes(&a, line, sizeof line);
    talk_send_bytes(&a, line, sizeof line);
    talk_send(&a, "\necho after\r\n");
    GETS(&a, "after\n");
    talk_send_bytes(&a, telnet, sizeof telnet - 1);
    GETS(&a, "\xff telnet\n");
    talk_send_bytes(&a, "o CR NUL\r\0", 10);
    GETS(&a, "CR NUL\n");
    talk_send_bytes(&a, rubbish, sizeof rubbish - 1);
    GETS(&a, "this is not text: \"");
    ask(&a, "echo fine", "fine\n");
    talk_close(&a);
    stop();
}

/* What a stream of random bytes does, the same in each run. */
static void rubbish_without_end(void)
{
    unsigned seed = 1;
    char bytes[4096];

    start();
    join(&a);
    join(&b);
    for (int round = 0; round < 64; round++) {
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (char)((seed = seed * 1103515245 + 12345) >> 16);
        talk_send_bytes(&a, bytes, sizeof bytes);
    }
    ask(&b, "echo calm", "calm\n");
    talk_half_close(&a);
    CU_ASSERT_PTR_NOT_NULL(talk_rest(&a));
    talk_close(&a);
    talk_close(&b);
    stop();
}

static void half_close_gets_everything(void)
{
    const char *rest;

    start();
    join(&a);
    talk_send(&a, "spawn count 5\nspawn pingpong 2\nspawn chat ann\nsay bye\nps");
    talk_half_close(&a);
    rest = talk_rest(&a);
    CU_ASSERT_PTR_NOT_NULL_FATAL(rest);
    CU_ASSERT_PTR_NOT_NULL(strstr(rest, " count] 5\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(rest, " count] returned 5\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(rest, " pong] pong 2\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(rest, " chat] ann: bye\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(rest, " chat] returned 1\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(rest, "TID PARENT STATE"));
    GETS(&out, "client 1 left\n");
    talk_close(&a);
    stop();
}

static void half_close_gets_more_than_fits(void)
{
    start();
    join(&a);
    talk_send(&a, "spawn count 300000\n");
    talk_half_close(&a);
    GETS(&a, " count] 299999\n");
    GETS(&a, " count] 300000\n");
    CU_ASSERT_PTR_NOT_NULL_FATAL(talk_rest(&a));
    CU_ASSERT_PTR_NOT_NULL(strstr(a.text, " count] returned 300000\n"));
    talk_close(&a);
    stop();
}

static void quit_takes_programs_along(void)
{
    long tid;

    start();
    join(&a);
    join(&b);
    tid = spawn(&a, "spinner 1000");
    talk_send(&a, "quit\nspawn count 1000\n");
    GETS(&a, with_tid("[%ld spinner] killed by ", tid));
    GETS(&a, "bye\n");
    CU_ASSERT_STRING_EQUAL(talk_rest(&a), "");
    GETS(&out, "client 1 quit\n");
    ask(&b, with_tid("ps %ld", tid), "there is no task");
    talk_close(&a);
    talk_close(&b);
    stop();
}

/* Only that something is sent to it shows that a client is gone. */
static void close_takes_silent_programs_along(void)
{
    long tid;

    start();
    join(&a);
    join(&b);
    tid = spawn(&a, "sleep 1000");
    talk_send(&a, "wait\n");
    talk_close(&a);
    GETS(&out, "client 1 left\n");
    ask(&b, with_tid("ps %ld", tid), "there is no task");
    talk_close(&b);
    stop();
}

static void reset_costs_one_client(void)
{
    long tid, counted;

    start();
    join(&a);
    join(&b);
    join(&c);
    counted = spawn(&a, "count 1000000000");
    GETS(&a, " count] 1000\n");
    tid = spawn(&b, "sleep 1000");
    talk_send(&b, "wait\n");
    talk_reset(&a);
    GETS(&out, "client 1 reset the connection\n");
    talk_reset(&b);
    GETS(&out, "client 2 reset the connection\n");
    ask(&c, with_tid("ps %ld", counted), "there is no task");
    ask(&c, with_tid("ps %ld", tid), "there is no task");
    spawn(&c, "pingpong 2");
    ask(&c, "wait", " returned 2\n");
    ask(&c, "uptime", "1 client of 3 so far, 6 tasks\n");
    talk_close(&c);
    stop();
}

/* b goes on with the server, which has not kept much for a. */
static void a_is_dropped(long before)
{
    GETS(&out, "client 2 was dropped: it took nothing for 1s\n");
    CU_ASSERT(talk_memory(server) - before < 65536);
    ask(&b, "uptime", "1 client of 2 so far, 6 tasks\n");
    talk_close(&a);
    talk_close(&b);
    stop();
}

static void who_never_reads_is_dropped(void)
{
    long before;

    start_with(0, "1");
    join(&b);
    before = talk_memory(server);
    join(&a);
    talk_send(&a, "spawn count 1000000000\nspawn count 1000000000\n");
    spawn(&b, "pingpong 3");
    ask(&b, "wait", " returned 3\n");
    a_is_dropped(before);
}

/* The same with commands alone: their answers wait, so the commands do. */
static void who_asks_and_never_reads_is_dropped(void)
{
    static const char help[] = "help\nps\nhelp\n";
    long before;
    ssize_t n;

    start_with(0, "1");
    join(&b);
    before = talk_memory(server);
    join(&a);
    CU_ASSERT_FATAL(fcntl(a.fd, F_SETFL, O_NONBLOCK) == 0);
    do
        n = send(a.fd, help, sizeof help - 1, MSG_NOSIGNAL);
    while (n > 0 || (n < 0 && errno == EAGAIN && !usleep(1000)));
    a_is_dropped(before);
}

/* Lines that cannot wait are lost to one who does not read, and that one is told. */
static void who_does_not_read_loses_chat(void)
{
    char line[1024];
    int stuck = 0;

    start();
    join(&a);
    spawn(&a, "chat ann");
    join(&b);
    spawn(&b, "chat bob");
    GETS(&b, "bob joined");
    memset(line, 'x', sizeof line);
    memcpy(line, "say ", 4);
    line[sizeof line - 1] = '\n';
    while (stuck < 8) {
        for (int i = 0; i < 128; i++) {
            talk_send_bytes(&b, line, sizeof line);
            GETS(&b, "chat] bob: xxx");
        }
        stuck = is_in(&b, 5, "Send(") ? stuck + 1 : 0;
    }
    GETS(&a, "lines lost here)\n");
    ask(&a, "echo well", "well\n");
    talk_close(&a);
    talk_close(&b);
    stop();
}

static const suite_test tests[] = {
    { "lines_of_any_kind", lines_of_any_kind },
    { "rubbish_without_end", rubbish_without_end },
    { "half_close_gets_everything", half_close_gets_everything },
    { "half_close_gets_more_than_fits", half_close_gets_more_than_fits },
    { "quit_takes_programs_along", quit_takes_programs_along },
    { "close_takes_silent_programs_along", close_takes_silent_programs_along },
    { "reset_costs_one_client", reset_costs_one_client },
    { "who_never_reads_is_dropped", who_never_reads_is_dropped },
    { "who_asks_and_never_reads_is_dropped", who_asks_and_never_reads_is_dropped },
    { "who_does_not_read_loses_chat", who_does_not_read_loses_chat }
};

int main(int argc, char **argv)
{
    int status;

    setenv("ASAN_OPTIONS", "quarantine_size_mb=1", 0);  /* free is free, for talk_memory */
    status = suite_main("taskclients", tests, SUITE_COUNT(tests), argc, argv);

    kill_server();
    return status;
}
