#include "config.h"
#include "service.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const forms[FORMS] = {
    "blocking", "callback", "trampoline", "routines", "parallel"
};

talk out;
pid_t server;
int port;
char record[65536];

const char *program(void)
{
    const char *path = getenv("RPC");

    return path ? path : "demos/rpc";
}

static void keep(const char *text)
{
    CU_ASSERT_FATAL(strlen(record) + strlen(text) < sizeof record);
    strcat(record, text);
}

void logs(const char *text)
{
    const char *before = talk_until(&out, text);

    CU_ASSERT_PTR_NOT_NULL_FATAL(before);
    keep(before);
    keep(text);
}

int status(void)
{
    int how = talk_status(server);

    server = 0;
    close(out.fd);
    return how;
}

void kill_server(void)
{
    if (server > 0) {
        kill(server, SIGKILL);
        status();
    }
}

void start(const char *form, int files)
{
    kill_server();
    record[0] = '\0';
    server = talk_start(&out, files, program(), form, "--port", "0", NULL);
    port = (int)talk_number(&out, "Listening on 127.0.0.1:", "\n");
    CU_ASSERT_FATAL(port > 0);
}

void read_to_end(void)
{
    const char *rest = talk_rest(&out);

    CU_ASSERT_PTR_NOT_NULL_FATAL(rest);
    keep(rest);
    CU_ASSERT(status() == 0);
}

void stop(int number)
{
    kill(server, number);
    read_to_end();
}

void leave_out_ports(void)
{
    char *to = record, *at;

    for (at = record; *at; *to++ = *at++)
        if (strncmp(at, " from 127.0.0.1:", 16) == 0)
            at += strcspn(at, "\n");
    *to = '\0';
}

void play(int first, void scenario(void), const char *text)
{
    char expected[sizeof record] = "";

    for (size_t i = (size_t)first; i < FORMS; i++) {
        start(forms[i], 0);
        scenario();
        stop(SIGTERM);
        leave_out_ports();
        if (!text) {
            strcpy(expected, record);
            text = expected;
        }
        CU_ASSERT(strcmp(record, text) == 0);
        if (strcmp(record, text) != 0)
            fprintf(stderr, "\n%s logs:\n%sand not:\n%s", forms[i], record, text);
    }
}

/* ---- Messages ------------------------------------------------------------------- */

size_t frame(char *bytes, const char *text)
{
    size_t len = strlen(text);

    for (int i = 0; i < 4; i++)
        bytes[i] = (char)(len >> (24 - 8 * i));
    memcpy(bytes + 4, text, len);
    return 4 + len;
}

void ask(talk *t, const char *text)
{
    char bytes[1024];

    talk_send_bytes(t, bytes, frame(bytes, text));
}

/* A talk has question marks for NULs. */
void answers(talk *t, const char *text)
{
    char head[8], bytes[1024];
    const char *before;

    frame(bytes, text);
    for (int i = 0; i < 4; i++)
        head[i] = bytes[i] ? bytes[i] : '?';
    head[4] = '\0';
    before = talk_until(t, head);
    CU_ASSERT_PTR_NOT_NULL_FATAL(before);
    CU_ASSERT_STRING_EQUAL(before, "");
    before = talk_until(t, text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(before);
    CU_ASSERT_STRING_EQUAL(before, "");
}

void closes(talk *t)
{
    CU_ASSERT_STRING_EQUAL(talk_rest(t), "");
    talk_close(t);
}

void leave(talk *t, const char *log)
{
    talk_half_close(t);
    closes(t);
    logs(log);
}
