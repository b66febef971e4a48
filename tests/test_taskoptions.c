/* What the task server's options do: how many clients, where, for how long, in how many
   processes. */
#include "config.h"
#include "session.h"
#include "suite.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static talk a, b, c;

static void start_as(const char *option, const char *value)
{
    kill_server();
    server = talk_start(&out, 0, program(), "--port", "0", option, value, NULL);
    port = (int)talk_number(&out, "taskserver: listening on 127.0.0.1:", ", try: nc ");
    CU_ASSERT_FATAL(port > 0);
}

static void end(talk *t)
{
    CU_ASSERT_STRING_EQUAL(talk_rest(t), "");
    talk_close(t);
}

/* ---- How many ------------------------------------------------------------------- */

static void more_clients_are_told_and_closed(void)
{
    start_as("--max-clients", "2");
    join(&a);
    join(&b);
    for (int i = 0; i < 3; i++) {
        talk_connect(&c, port);
        GETS(&c, "the server is full, with 2 of 2 clients\n");
        end(&c);
        GETS(&out, "taskserver: full: one from 127.0.0.1:");
        GETS(&out, " was turned away\n");
    }
    ask(&a, "uptime", "2 clients of 2 so far");
    talk_close(&a);
    GETS(&out, "client 1 left\n");
    join(&c);
    ask(&c, "echo in", "in\n");
    talk_close(&b);
    talk_close(&c);
    stop();
}

/* ---- For how long --------------------------------------------------------------- */

/* A second goes by for each of those who are sent away here. */
static void idle_client_is_told_and_closed(void)
{
    start_as("--idle", "1");
    join(&a);
    talk_send(&a, "ec");           /* no line, and so nothing asked for */
    GETS(&a, "you ask for nothing; good bye\n");
    end(&a);
    GETS(&out, "client 1 was idle for 1s\n");
    stop();
}

static void busy_client_is_not_idle(void)
{
    start_as("--idle", "1");
    talk_connect(&a, port);
    talk_send(&a, "spawn sleep 1.5\nwait\n");
    join(&b);
    GETS(&b, "you ask for nothing; good bye\n");
    end(&b);
    GETS(&a, " slept 1.5s\n");
    GETS(&a, " returned 0\n");
    GETS(&a, "you ask for nothing; good bye\n");
    end(&a);
    stop();
}

static void half_closed_client_is_not_idle(void)
{
    start_as("--idle", "1");
    talk_connect(&a, port);
    talk_send(&a, "spawn sleep 1.5\n");
    talk_half_close(&a);
    GETS(&a, " slept 1.5s\n");
    GETS(&a, " returned 0\n");
    end(&a);
    stop();
}

static void without_idle_clients_there_is_no_hurry(void)
{
    start_as("--idle", "1000000");
    join(&a);
    kill(server, SIGTERM);
    GETS(&a, "the server stops; good bye\n");
    end(&a);
    GETS(&out, "taskserver: stopped: 1 client, ");
    CU_ASSERT(server_status() == 0);
}

/* ---- A socket in the file system ------------------------------------------------ */

static char folder[] = "/tmp/coop.XXXXXX";
static char path[sizeof folder + 16], address[sizeof path + 16];

static void choose_path(void)
{
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/server", folder);
    snprintf(address, sizeof address, "unix://%s", path);
}

static void start_local(void)
{
    kill_server();
    server = talk_start(&out, 0, program(), address, NULL);
    GETS(&out, "taskserver: listening on unix:///tmp/coop.");
    GETS(&out, ", try: nc -U /tmp/coop.");
    GETS(&out, "\n");
}

static void join_local(talk *t)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };

    snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
    t->len = 0;
    t->fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CU_ASSERT_FATAL(t->fd >= 0);
    CU_ASSERT_FATAL(connect(t->fd, (struct sockaddr *)&to, sizeof to) == 0);
    GETS(t, "type help\n");
}

static void local_socket_is_served(void)
{
    struct stat status;

    choose_path();
    start_local();
    join_local(&a);
    join_local(&b);
    GETS(&out, "taskserver: client 1 from this machine\n");
    spawn(&a, "count 2");
    GETS(&a, " count] 2\n");
    GETS(&a, " returned 2\n");
    spawn(&a, "sleep 1000");
    talk_close(&a);
    GETS(&out, "taskserver: client 1 left\n");
    talk_send(&b, "spawn count 1\n");
    talk_half_close(&b);
    GETS(&b, " returned 1\n");
    end(&b);
    stop();
    CU_ASSERT(stat(path, &status) < 0 && errno == ENOENT);
    rmdir(folder);
}

static void left_over_socket_is_replaced(void)
{
    talk other;
    pid_t pid;

    choose_path();
    start_local();
    pid = talk_start(&other, 0, program(), address, NULL);
    GETS(&other, "taskserver: cannot listen on unix:///");
    CU_ASSERT(talk_status(pid) == 1);
    close(other.fd);
    join_local(&a);                /* it has not been taken away from the first */
    talk_close(&a);
    kill_server();
    CU_ASSERT(access(path, F_OK) == 0);
    start_local();
    join_local(&a);
    talk_close(&a);
    stop();
    rmdir(folder);
}

/* ---- Several processes ---------------------------------------------------------- */

static pid_t workers[3];

static void start_workers(const char *option, const char *value)
{
    kill_server();
    server = talk_start(&out, 0, program(), "--workers", "3", "--port", "0", option, value,
                        NULL);
    for (int i = 0; i < 3; i++) {
        GETS(&out, "taskserver: worker ");
        CU_ASSERT(talk_number(&out, "", " is process ") == i + 1);
        workers[i] = (pid_t)talk_number(&out, "", "\n");
        CU_ASSERT_FATAL(workers[i] > 0);
    }
    port = (int)talk_number(&out, "taskserver: listening on 127.0.0.1:", ", try: nc ");
    CU_ASSERT_FATAL(port > 0);
}

/* How many of the three have had a client. */
static int served(const char *log)
{
    int count = 0;

    count += strstr(log, "worker 1: client 1 from") != NULL;
    count += strstr(log, "worker 2: client 1 from") != NULL;
    count += strstr(log, "worker 3: client 1 from") != NULL;
    return count;
}

static void workers_share_the_port(void)
{
    enum { CLIENTS = 40 };
    static talk many[CLIENTS];
    const char *log;

    start_workers(NULL, NULL);
    for (int i = 0; i < CLIENTS; i++)
        join(&many[i]);
    for (int i = 0; i < CLIENTS; i++)
        ask(&many[i], "echo here", "here\n");
    kill(server, SIGINT);
    for (int i = 0; i < CLIENTS; i++) {
        GETS(&many[i], "the server stops; good bye\n");
        end(&many[i]);
    }
    log = talk_rest(&out);
    CU_ASSERT_PTR_NOT_NULL_FATAL(log);
    CU_ASSERT(served(log) >= 2);   /* the host throws dice: all but one in 10^18 times */
    CU_ASSERT_PTR_NOT_NULL(strstr(log, "worker 1: stopped: "));
    CU_ASSERT_PTR_NOT_NULL(strstr(log, "worker 2: stopped: "));
    CU_ASSERT_PTR_NOT_NULL(strstr(log, "worker 3: stopped: "));
    CU_ASSERT_PTR_NOT_NULL(strstr(log, "taskserver: stopped: all workers have ended\n"));
    CU_ASSERT(server_status() == 0);
}

static void a_worker_that_dies_is_told(void)
{
    start_workers(NULL, NULL);
    kill(workers[1], SIGKILL);
    GETS(&out, "taskserver: worker 2 was ended by signal 9\n");
    for (int i = 0; i < 8; i++) {
        join(&a);
        ask(&a, "echo here", "here\n");
        talk_close(&a);
    }
    kill(server, SIGTERM);
    GETS(&out, "taskserver: stopped: all workers have ended\n");
    CU_ASSERT(server_status() == 1);
}

/* Ctrl-C reaches all processes of a terminal's job, and the parent passes it on. */
static void ctrl_c_to_all_stops_in_order(void)
{
    start_workers(NULL, NULL);
    join(&a);
    for (int i = 0; i < 3; i++)
        kill(workers[i], SIGINT);
    kill(server, SIGINT);
    GETS(&a, "the server stops; good bye\n");
    end(&a);
    GETS(&out, "taskserver: stopped: all workers have ended\n");
    CU_ASSERT(server_status() == 0);
}

static void workers_end_with_their_parent(void)
{
#ifdef __linux__
    start_workers(NULL, NULL);
    kill(server, SIGKILL);
    CU_ASSERT_PTR_NOT_NULL(talk_rest(&out));   /* which ends when nobody is left to write */
    CU_ASSERT(server_status() == 1000 + SIGKILL);
#endif
}

static void max_clients_is_of_each_worker(void)
{
    static talk some[8];
    int in = 0;

    start_workers("--max-clients", "1");
    for (int i = 0; i < 8; i++) {
        talk_connect(&some[i], port);
        GETS(&some[i], "server");  /* coop taskserver, or: the server is full */
        GETS(&some[i], "\n");
    }
    for (int i = 0; i < 8; i++) {
        if (send(some[i].fd, "echo in\nquit\n", 13, MSG_NOSIGNAL) == 13) {
            const char *rest = talk_rest(&some[i]);

            in += rest && strstr(rest, "in\nbye\n") != NULL;
        }
        talk_close(&some[i]);
    }
    CU_ASSERT(in >= 1 && in <= 3);
    stop();
}

/* ---- The command line ----------------------------------------------------------- */

static int status_of(const char *first, const char *second, const char *third,
                     const char *text)
{
    pid_t pid = talk_start(&out, 0, program(), first, second, third, NULL);
    int status;

    CU_ASSERT(talk_gets(&out, text));
    status = talk_status(pid);
    close(out.fd);
    return status;
}

static void wrong_options_are_told(void)
{
    char number[16];
    talk other;
    pid_t pid;

    CU_ASSERT(status_of("--help", NULL, NULL, "--workers N ") == 0);
    CU_ASSERT(status_of("--max-clients", "-1", NULL, "usage: ") == 2);
    CU_ASSERT(status_of("--idle", "soon", NULL, "usage: ") == 2);
    CU_ASSERT(status_of("--workers", "65", NULL, "usage: ") == 2);
    CU_ASSERT(status_of("--workers", "2", "unix:///tmp/x", "usage: ") == 2);
    CU_ASSERT(status_of("udp://127.0.0.1:0", NULL, NULL, "usage: ") == 2);
    CU_ASSERT(status_of("tcp://127.0.0.1:0", "more", NULL, "usage: ") == 2);
    CU_ASSERT(status_of("tcp://127.0.0.1", NULL, NULL, "is not an address") == 1);
    CU_ASSERT(status_of("unix:///nowhere/at/all", NULL, NULL, "cannot listen on") == 1);
    start();
    snprintf(number, sizeof number, "%d", port);
    pid = talk_start(&other, 0, program(), "--workers", "2", "--port", number, NULL);
    GETS(&other, "is in use");
    CU_ASSERT(talk_status(pid) == 1);
    close(other.fd);
    stop();
}

static const suite_test tests[] = {
    { "more_clients_are_told_and_closed", more_clients_are_told_and_closed },
    { "idle_client_is_told_and_closed", idle_client_is_told_and_closed },
    { "busy_client_is_not_idle", busy_client_is_not_idle },
    { "half_closed_client_is_not_idle", half_closed_client_is_not_idle },
    { "without_idle_clients_there_is_no_hurry", without_idle_clients_there_is_no_hurry },
    { "local_socket_is_served", local_socket_is_served },
    { "left_over_socket_is_replaced", left_over_socket_is_replaced },
    { "workers_share_the_port", workers_share_the_port },
    { "a_worker_that_dies_is_told", a_worker_that_dies_is_told },
    { "ctrl_c_to_all_stops_in_order", ctrl_c_to_all_stops_in_order },
    { "workers_end_with_their_parent", workers_end_with_their_parent },
    { "max_clients_is_of_each_worker", max_clients_is_of_each_worker },
    { "wrong_options_are_told", wrong_options_are_told }
};

int main(int argc, char **argv)
{
    int status = suite_main("taskoptions", tests, SUITE_COUNT(tests), argc, argv);

    kill_server();
    return status;
}
