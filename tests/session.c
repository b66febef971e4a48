#include "config.h"
#include "session.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

talk out;
pid_t server;
int port;

const char *program(void)
{
    const char *path = getenv("TASKSERVER");

    return path ? path : "demos/taskserver";
}

int server_status(void)
{
    int status = talk_status(server);

    server = 0;
    close(out.fd);
    return status;
}

void kill_server(void)
{
    if (server > 0) {
        kill(server, SIGKILL);
        server_status();
    }
}

void start_with(int files, const char *patience)
{
    kill_server();
    server = talk_start(&out, files, program(), "--port", "0", "--patience", patience,
                        NULL);
    port = (int)talk_number(&out, "taskserver: listening on 127.0.0.1:", ", try: nc ");
    CU_ASSERT_FATAL(port > 0);
}

void start(void)
{
    start_with(0, "1000");
}

void stop(void)
{
    kill(server, SIGINT);
    GETS(&out, "taskserver: stopped: ");
    CU_ASSERT(server_status() == 0);
}

void join(talk *t)
{
    talk_connect(t, port);
    GETS(t, "coop taskserver, ");
    GETS(t, "type help\n");
}

void ask(talk *t, const char *line, const char *answer)
{
    talk_send(t, line);
    talk_send(t, "\n");
    GETS(t, answer);
}

long spawn(talk *t, const char *line)
{
    long tid;

    talk_send(t, "spawn ");
    talk_send(t, line);
    talk_send(t, "\n");
    tid = talk_number(t, "task ", ": ");
    CU_ASSERT_FATAL(tid > 0);
    GETS(t, "\n");
    return tid;
}

const char *with_tid(const char *format, long tid)
{
    static char text[4][128];
    static int which;

    which = (which + 1) % 4;
    snprintf(text[which], sizeof text[which], format, tid);
    return text[which];
}

bool is_in(talk *t, long tid, const char *call)
{
    const char *text;

    talk_send(t, with_tid("ps %ld\necho END\n", tid));
    text = talk_until(t, "END\n");
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    return strstr(text, call) != NULL;
}
