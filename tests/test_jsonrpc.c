/* demos/rpc as a process of its own: its five forms answer alike and log alike. */
#include "config.h"
#include "service.h"
#include "suite.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static talk a, b;

/* ---- Scenarios ------------------------------------------------------------------ */

static void one(void)
{
    talk_connect(&a, port);
    ask(&a, FOO);
    answers(&a, OK);
    leave(&a, "Connection 1 closed\n");
}

static void one_client(void)
{
    CU_ASSERT(strlen(FOO) == 53);
    CU_ASSERT(strlen(OK) == 52);
    play(0, one,
         "New connection 1\n"
         "Received from 1: " FOO "\n"
         "Connection 1 closed\n"
         "Stopped\n");
}

static void one_by_one(void)
{
    one();
    talk_connect(&a, port);
    leave(&a, "Connection 2 closed\n");
    talk_connect(&a, port);
    for (int i = 0; i < 3; i++) {
        ask(&a, FOO);
        answers(&a, OK);
    }
    leave(&a, "Connection 3 closed\n");
}

static void several_clients(void)
{
    play(0, one_by_one,
         "New connection 1\n"
         "Received from 1: " FOO "\n"
         "Connection 1 closed\n"
         "New connection 2\n"
         "Connection 2 closed\n"
         "New connection 3\n"
         "Received from 3: " FOO "\n"
         "Received from 3: " FOO "\n"
         "Received from 3: " FOO "\n"
         "Connection 3 closed\n"
         "Stopped\n");
}

static void in_turns(void)
{
    talk_connect(&a, port);
    logs("New connection 1 ");
    talk_connect(&b, port);
    logs("New connection 2 ");
    for (int i = 0; i < 3; i++) {
        ask(&b, FOO);
        answers(&b, OK);
        ask(&a, FOO);
        answers(&a, OK);
    }
    leave(&a, "Connection 1 closed\n");
    ask(&b, FOO);
    answers(&b, OK);
    leave(&b, "Connection 2 closed\n");
}

static void clients_at_once(void)
{
    play(MANY_AT_ONCE, in_turns, NULL);
    CU_ASSERT_PTR_NOT_NULL(strstr(record, "Connection 1 closed\nReceived from 2: "));
}

static void wrong(void)
{
    talk_connect(&a, port);
    ask(&a, "");
    answers(&a, "{\"jsonrpc\": \"2.0\", \"error\": {\"code\": -32700, \"message\": "
                "\"Parse error\"}, \"id\": null}");
    ask(&a, "[1, 2]");
    answers(&a, "{\"jsonrpc\": \"2.0\", \"error\": {\"code\": -32600, \"message\": "
                "\"Invalid Request\"}, \"id\": null}");
    ask(&a, "{\"jsonrpc\": \"2.0\", \"method\": \"bar\", \"id\": 7}");
    answers(&a, "{\"jsonrpc\": \"2.0\", \"error\": {\"code\": -32601, \"message\": "
                "\"Method not found\"}, \"id\": 7}");
    ask(&a, "{\"jsonrpc\": \"2.0\", \"method\": \"foo\"}");        /* a notification */
    ask(&a, "{\"jsonrpc\": \"2.0\",\n\"method\": \"echo\", \"params\": [1, \"\xc3\xbc\"],"
            "\"id\": 8}");
    answers(&a, "{\"jsonrpc\": \"2.0\", \"result\": [1, \"\xc3\xbc\"], \"id\": 8}");
    leave(&a, "Connection 1 closed\n");
}

static void wrong_requests(void)
{
    play(0, wrong, NULL);
    CU_ASSERT_PTR_NOT_NULL(strstr(record, "Received from 1: \nReceived from 1: [1, 2]\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(record, "\"2.0\",?\"method\""));
}

static void byte_by_byte(void)
{
    char bytes[256];
    size_t len = frame(bytes, FOO);

    talk_connect(&a, port);
    for (size_t i = 0; i < len; i++) {
        talk_send_bytes(&a, bytes + i, 1);
        usleep(200);               /* so that it comes alone, as a rule */
    }
    answers(&a, OK);
    leave(&a, "Connection 1 closed\n");
}

static void all_in_one(void)
{
    char bytes[1024];
    size_t len = 0;

    for (int i = 0; i < 8; i++)
        len += frame(bytes + len, FOO);
    talk_connect(&a, port);
    talk_send_bytes(&a, bytes, len);
    talk_half_close(&a);
    for (int i = 0; i < 8; i++)
        answers(&a, OK);
    closes(&a);
    logs("Connection 1 closed\n");
}

static void split_and_merged_frames(void)
{
    play(0, byte_by_byte, NULL);
    play(0, all_in_one, NULL);
}

static void oversize(void)
{
    talk_connect(&a, port);
    ask(&a, FOO);
    answers(&a, OK);
    talk_send_bytes(&a, "\0\1\0\1", 4);
    closes(&a);
    logs("Connection 1 closed: too long a message\n");
    talk_connect(&a, port);
    talk_send_bytes(&a, "\xff\xff\xff\xff", 4);
    closes(&a);
    logs("Connection 2 closed: too long a message\n");
    talk_connect(&a, port);
    leave(&a, "Connection 3 closed\n");
}

static void oversize_frame_is_refused(void)
{
    play(0, oversize, NULL);
}

static void half(void)
{
    talk_connect(&a, port);
    ask(&a, FOO);
    talk_send_bytes(&a, "\0\0", 2);
    talk_half_close(&a);
    answers(&a, OK);
    closes(&a);
    logs("Connection 1 closed: in the middle of a message\n");
    talk_connect(&a, port);
    talk_send_bytes(&a, "\0\0\0\65{\"jsonrpc\"", 14);
    leave(&a, "Connection 2 closed: in the middle of a message\n");
}

static void half_frame_then_close(void)
{
    play(0, half, NULL);
}

static void reset(void)
{
    talk_connect(&a, port);
    ask(&a, FOO);
    answers(&a, OK);
    talk_reset(&a);
    logs("Connection 1 closed: the connection broke\n");
    talk_connect(&a, port);
    leave(&a, "Connection 2 closed\n");
}

static void reset_is_survived(void)
{
    play(0, reset, NULL);
}

/* The longest message that is taken, three of them before an answer is read. */
static void longest_message_is_answered(void)
{
    enum { LIMIT = 65536 };
    static char bytes[4 + LIMIT], got[4 + LIMIT];
    const char begin[] = "{\"jsonrpc\": \"2.0\", \"method\": \"echo\", \"id\": 1, "
                         "\"params\": [\"";
    const char result[] = "{\"jsonrpc\": \"2.0\", \"result\": [\"xxxx";
    const size_t answer = LIMIT - strlen("\"method\": \"echo\", ");
    pid_t sender;

    memset(bytes, 'x', sizeof bytes);
    memcpy(bytes, "\0\1\0\0", 4);
    memcpy(bytes + 4, begin, strlen(begin));
    memcpy(bytes + sizeof bytes - 3, "\"]}", 3);
    for (size_t i = 0; i < FORMS; i++) {
        start(forms[i], 0);
        talk_connect(&a, port);
        sender = fork();           /* sends, while we read what is logged */
        if (sender == 0) {
            for (int n = 0; n < 3; n++)
                talk_send_bytes(&a, bytes, sizeof bytes);
            _exit(0);
        }
        for (int n = 0; n < 3; n++) {
            size_t len = 0;
            ssize_t more = 1;

            CU_ASSERT(talk_gets(&out, "xxx\"]}\n"));
            while (len < 4 + answer && more > 0) {
                more = read(a.fd, got + len, 4 + answer - len);
                len += more > 0 ? (size_t)more : 0;
            }
            CU_ASSERT(len == 4 + answer);
            CU_ASSERT(memcmp(got, "\0\0", 2) == 0);
            CU_ASSERT(memcmp(got + 4, result, strlen(result)) == 0);
        }
        CU_ASSERT(talk_status(sender) == 0);
        leave(&a, "Connection 1 closed\n");
        stop(SIGTERM);
    }
}

static void signals_end_each_form(void)
{
    for (size_t i = 0; i < FORMS; i++) {
        start(forms[i], 0);
        stop(SIGINT);
        CU_ASSERT_STRING_EQUAL(record, "Stopped\n");
        start(forms[i], 0);
        talk_connect(&a, port);
        ask(&a, FOO);
        answers(&a, OK);
        talk_send_bytes(&a, "\0\0\0\65{\"jsonrpc\"", 14);
        stop(SIGTERM);
        talk_close(&a);
        leave_out_ports();
        CU_ASSERT_STRING_EQUAL(record, "New connection 1\nReceived from 1: " FOO "\n"
                               "Connection 1 closed\nStopped\n");
    }
}

/* In a process of its own: requests without end, and no answer is read. */
static pid_t flood(void)
{
    char params[8192], request[8400], bytes[8500];
    size_t len;
    pid_t pid;

    memset(params, 'x', sizeof params - 1);
    params[sizeof params - 1] = '\0';
    snprintf(request, sizeof request, "{\"jsonrpc\": \"2.0\", \"method\": \"echo\", "
             "\"id\": 1, \"params\": [\"%s\"]}", params);
    len = frame(bytes, request);
    pid = fork();
    if (pid != 0)
        return pid;
    while (send(a.fd, bytes, len, MSG_NOSIGNAL) > 0)
        ;
    _exit(0);
}

static void signal_ends_a_flood(void)
{
    const char *rest;
    pid_t pid;

    for (size_t i = 0; i < FORMS; i++) {
        start(forms[i], 0);
        talk_connect(&a, port);
        pid = flood();
        CU_ASSERT_FATAL(pid > 0);
        for (int n = 0; n < 20; n++)
            GETS(&out, "xxx\"]}\n");
        kill(server, SIGTERM);
        rest = talk_rest(&out);
        CU_ASSERT_PTR_NOT_NULL_FATAL(rest);
        CU_ASSERT_PTR_NOT_NULL(strstr(rest, "Connection 1 closed\nStopped\n"));
        CU_ASSERT(status() == 0);
        CU_ASSERT(talk_status(pid) == 0);
        talk_close(&a);
    }
}

/* ---- Heartbeats ----------------------------------------------------------------- */

#define BEAT(N, ID) \
    "Received from " #N ": {\"jsonrpc\": \"2.0\", \"method\": \"heartbeat\", " \
    "\"id\": \"" ID "\"}\n"
#define HEART(N) \
    "New connection " #N "\nReceived from " #N ": " FOO "\n" \
    BEAT(N, "beat0001") BEAT(N, "beat0002") BEAT(N, "beat0003") \
    "Connection " #N " closed\n"

static const char hearts[] = "Stopped\n" HEART(1) HEART(2) HEART(3);

/* Each connection's lines together, in the order in which they came. */
static void sort_by_connection(void)
{
    char sorted[sizeof record] = "", line[256];

    for (int number = 0; number < 10; number++)
        for (const char *at = record; *at; at += strcspn(at, "\n") + 1) {
            int n = 0;

            snprintf(line, sizeof line, "%.*s\n", (int)strcspn(at, "\n"), at);
            if (sscanf(line, "New connection %d", &n) != 1
                && sscanf(line, "Received from %d", &n) != 1)
                sscanf(line, "Connection %d", &n);
            if (n == number)
                strcat(sorted, line);
        }
    strcpy(record, sorted);
}

static void hearts_were_logged(const char *form)
{
    leave_out_ports();
    sort_by_connection();
    CU_ASSERT(strcmp(record, hearts) == 0);
    if (strcmp(record, hearts) != 0)
        fprintf(stderr, "\n%s logs:\n%s", form, record);
}

static void beat(const char *clients)
{
    char number[16];
    const char *text;
    pid_t pid;

    snprintf(number, sizeof number, "%d", port);
    pid = talk_start(&a, 0, program(), "client", "--port", number, "--clients", clients,
                     "--beats", "3", "--every", "2", NULL);
    text = talk_rest(&a);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "Connecting to "));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "Received from server: " OK "\n"));
    CU_ASSERT(talk_status(pid) == 0);
    talk_close(&a);
}

static void heartbeat_clients(void)
{
    for (size_t i = 0; i < FORMS; i++) {
        start(forms[i], 0);
        beat("3");
        for (int n = 0; n < 3; n++)
            logs(" closed\n");
        stop(SIGTERM);
        hearts_were_logged(forms[i]);
    }
}

/* More clients than the server can have descriptors: they wait for each other. */
static void descriptors_run_out(void)
{
    for (size_t i = 0; i < FORMS; i++) {
        start(forms[i], 16);
        beat("40");
        stop(SIGTERM);
        CU_ASSERT_PTR_NOT_NULL(strstr(record, "New connection 40 "));
    }
}

/* Server and clients as tasks of one program. */
static void test_itself(const char *form)
{
    kill_server();
    record[0] = '\0';
    server = talk_start(&out, 0, program(), form, "--self-test", "3", NULL);
    GETS(&out, "Listening on ");
    GETS(&out, "\n");
    read_to_end();
}

static void simulated_as_on_the_host(void)
{
    static char before[sizeof record];

    for (size_t i = TASKS; i < FORMS; i++) {
        test_itself(forms[i]);
        hearts_were_logged(forms[i]);
        setenv("COOP_MACHINE", "sim:1", 1);
        test_itself(forms[i]);
        strcpy(before, record);
        test_itself(forms[i]);
        CU_ASSERT_STRING_EQUAL(record, before);
        hearts_were_logged(forms[i]);
        unsetenv("COOP_MACHINE");
    }
}

static void usage_is_told(void)
{
    static const char *const wrong[][2] = {
        { NULL, NULL }, { "unknown", NULL }, { "blocking", "--port" },
        { "blocking", "--self-test" }, { "client", "more" }
    };

    for (size_t i = 0; i < SUITE_COUNT(wrong); i++) {
        pid_t pid = talk_start(&a, 0, program(), wrong[i][0], wrong[i][1], NULL);

        GETS(&a, "usage: rpc blocking|callback|");
        CU_ASSERT(talk_status(pid) == 2);
        talk_close(&a);
    }
}

static const suite_test tests[] = {
    { "one_client", one_client },
    { "several_clients", several_clients },
    { "clients_at_once", clients_at_once },
    { "wrong_requests", wrong_requests },
    { "split_and_merged_frames", split_and_merged_frames },
    { "oversize_frame_is_refused", oversize_frame_is_refused },
    { "half_frame_then_close", half_frame_then_close },
    { "reset_is_survived", reset_is_survived },
    { "longest_message_is_answered", longest_message_is_answered },
    { "signals_end_each_form", signals_end_each_form },
    { "signal_ends_a_flood", signal_ends_a_flood },
    { "heartbeat_clients", heartbeat_clients },
    { "descriptors_run_out", descriptors_run_out },
    { "simulated_as_on_the_host", simulated_as_on_the_host },
    { "usage_is_told", usage_is_told }
};

int main(int argc, char **argv)
{
    int result;

#ifndef HAVE_JANSSON
    puts("jsonrpc: left out, since jansson was not found by configure");
    return 77;
#endif
    result = suite_main("jsonrpc", tests, SUITE_COUNT(tests), argc, argv);
    kill_server();
    return result;
}
