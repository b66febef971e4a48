/* echoclient MODE LAST SERVER [ARG...] - talk to an echo server

   Starts SERVER, which says "listening on ...:PORT" on standard error, and copies its
   standard output, with the ports of the clients replaced by FIRST and SECOND. When the
   line LAST has come (not waited for if empty) it ends SERVER.

   start    no client
   session  two clients; the second closes last
   reset    a client resets its connection in the middle of an echo, ten times; after each
            another one is served

   The alarms are a safety net: nothing takes that long. */
#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE = 60 };                        /* seconds */

static pid_t server;
static int server_out, server_port;
static const char *last_line;
static bool last_seen;
static int first_port, second_port;            /* of the clients */

static void fail(const char *what)
{
    fprintf(stderr, "echoclient: %s\n", what);
    if (server > 0)
        kill(server, SIGKILL);
    exit(1);
}

static void start_server(char **argv)
{
    int out[2], err[2];
    char line[256], *colon;
    FILE *errors;

    if (pipe(out) < 0 || pipe(err) < 0)
        fail("no pipe");
    server = fork();
    if (server < 0)
        fail("no process");
    if (server == 0) {
        dup2(out[1], STDOUT_FILENO);
        dup2(err[1], STDERR_FILENO);
        close(out[0]);
        close(err[0]);
        alarm(PATIENCE);
        execv(argv[0], argv);
        _exit(127);
    }
    close(out[1]);
    close(err[1]);
    server_out = out[0];
    errors = fdopen(err[0], "r");
    while (errors && !server_port && fgets(line, sizeof line, errors))
        if (strncmp(line, "listening on ", 13) == 0 && (colon = strrchr(line, ':')))
            server_port = atoi(colon + 1);
        else
            fputs(line, stderr);
    if (!server_port)
        fail("the server does not listen");
}

static void copy_line(const char *line)
{
    int port;

    if (sscanf(line, "Connection from ('127.0.0.1', %d)", &port) == 1
        && (port == first_port || port == second_port))
        printf("Connection from ('127.0.0.1', %s)\n",
               port == first_port ? "FIRST" : "SECOND");
    else
        puts(line);
    if (strcmp(line, last_line) == 0)
        last_seen = true;
}

/* False: the server's output has ended. */
static bool copy_output(void)
{
    static char line[256];
    static size_t used;
    char bytes[4096];
    ssize_t n = read(server_out, bytes, sizeof bytes);

    for (ssize_t i = 0; i < n; i++) {
        if (bytes[i] != '\n' && used < sizeof line - 1) {
            line[used++] = bytes[i];
            continue;
        }
        line[used] = 0;
        used = 0;
        copy_line(line);
    }
    return n > 0;
}

/* Until fd can be read, or until the last line has come if fd is -1. Copies the server's
   output meanwhile, so that the server need not wait for that. */
static void await_input(int fd)
{
    struct pollfd wanted[2] = { { server_out, POLLIN, 0 }, { fd, POLLIN, 0 } };

    while (fd >= 0 ? !wanted[1].revents : *last_line && !last_seen) {
        if (poll(wanted, 2, -1) < 0)
            fail("poll");
        if (wanted[0].revents && !copy_output())
            fail("the server ended");
    }
}

static int connect_client(int *port)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    at.sin_port = htons((in_port_t)server_port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&at, size) < 0
        || getsockname(fd, (struct sockaddr *)&at, &size) < 0)
        fail("no connection");
    if (port)
        *port = ntohs(at.sin_port);
    return fd;
}

static void exchange(int fd, const char *text)
{
    size_t len = strlen(text), got = 0;
    char answer[256];
    ssize_t n;

    if (send(fd, text, len, MSG_NOSIGNAL) != (ssize_t)len)
        fail("send");
    for (; got < len; got += (size_t)n) {
        await_input(fd);
        n = recv(fd, answer + got, len - got, 0);
        if (n <= 0)
            fail("the server hung up");
    }
    if (memcmp(answer, text, len) != 0)
        fail("not what was sent");
}

static void close_client(int fd)
{
    char byte;

    shutdown(fd, SHUT_WR);
    await_input(fd);
    if (recv(fd, &byte, 1, 0) != 0)
        fail("more than was sent");
    close(fd);
}

static void session(void)
{
    int first, second;

    first = connect_client(&first_port);
    exchange(first, "hello\n");
    second = connect_client(&second_port);
    exchange(second, "hello, too\n");
    exchange(first, "one line\nand another, in one go\n");
    exchange(second, "no end of line");
    close_client(first);
    exchange(second, "\nthe last\n");
    close_client(second);
}

static void reset(void)
{
    static char much[1 << 16];
    struct linger now = { .l_onoff = 1, .l_linger = 0 };

    for (int i = 0; i < 10; i++) {
        int bad = connect_client(NULL), good = connect_client(NULL);

        exchange(bad, "hello\n");
        if (send(bad, much, sizeof much, MSG_DONTWAIT | MSG_NOSIGNAL) < 0
            || setsockopt(bad, SOL_SOCKET, SO_LINGER, &now, sizeof now) < 0)
            fail("no traffic");
        close(bad);
        exchange(good, "still there?\n");
        close_client(good);
    }
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: echoclient start|session|reset LAST SERVER [ARG...]\n");
        return 2;
    }
    last_line = argv[2];
    alarm(PATIENCE);
    start_server(argv + 3);
    if (strcmp(argv[1], "session") == 0)
        session();
    else if (strcmp(argv[1], "reset") == 0)
        reset();
    await_input(-1);
    kill(server, SIGTERM);
    while (copy_output())
        ;
    waitpid(server, NULL, 0);
    return 0;
}
