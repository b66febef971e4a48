#include "config.h"
#include "talk.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE = 30000 /* ms */, ARGUMENTS = 16, SHOWN = 500 };

static void run(int out, int files, char **arguments)
{
    struct rlimit limit = { (rlim_t)files, (rlim_t)files };

    dup2(out, 1);
    dup2(out, 2);
    close(out);
    if (files > 0)
        setrlimit(RLIMIT_NOFILE, &limit);
    execv(arguments[0], arguments);
    perror(arguments[0]);
    _exit(127);
}

pid_t talk_start(talk *out, int files, const char *program, ...)
{
    char *arguments[ARGUMENTS] = { (char *)program };
    int ends[2], count = 1;
    va_list list;
    pid_t pid;

    va_start(list, program);
    while (count < ARGUMENTS - 1 && (arguments[count] = va_arg(list, char *)))
        count++;
    va_end(list);
    CU_ASSERT_FATAL(pipe(ends) == 0);
    pid = fork();
    CU_ASSERT_FATAL(pid >= 0);
    if (pid == 0) {
        close(ends[0]);
        run(ends[1], files, arguments);
    }
    close(ends[1]);
    out->fd = ends[0];
    out->len = 0;
    return pid;
}

int talk_status(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

long talk_memory(pid_t pid)
{
    char path[64], line[256];
    long size = 0;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
    file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        sscanf(line, "VmRSS: %ld", &size);
    if (file)
        fclose(file);
    return size;
}

void talk_connect(talk *t, int port)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((in_port_t)port) };

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    t->len = 0;
    t->fd = socket(AF_INET, SOCK_STREAM, 0);
    CU_ASSERT_FATAL(t->fd >= 0);
    CU_ASSERT_FATAL(connect(t->fd, (struct sockaddr *)&to, sizeof to) == 0);
}

void talk_send_bytes(talk *t, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = send(t->fd, bytes, len, MSG_NOSIGNAL);

        CU_ASSERT_FATAL(n > 0);
        bytes += n;
        len -= (size_t)n;
    }
}

void talk_send(talk *t, const char *text)
{
    talk_send_bytes(t, text, strlen(text));
}

void talk_half_close(talk *t)
{
    CU_ASSERT_FATAL(shutdown(t->fd, SHUT_WR) == 0);
}

void talk_close(talk *t)
{
    close(t->fd);
    t->fd = -1;
}

void talk_reset(talk *t)
{
    struct linger linger = { 1, 0 };

    setsockopt(t->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    talk_close(t);
}

static void take(talk *t, size_t len)
{
    memmove(t->text, t->text + len, t->len - len);
    t->len -= len;
}

/* Returns how many bytes came, 0 at the end of the stream, -1 if nothing comes. NULs become
   question marks, so that what is there is a text. */
static ssize_t read_more(talk *t)
{
    struct pollfd wait = { .fd = t->fd, .events = POLLIN };
    ssize_t n;

    if (t->len == sizeof t->text - 1)
        take(t, sizeof t->text / 2);
    if (poll(&wait, 1, PATIENCE) <= 0)
        return -1;
    n = read(t->fd, t->text + t->len, sizeof t->text - 1 - t->len);
    for (ssize_t i = 0; i < n; i++)
        if (t->text[t->len + (size_t)i] == '\0')
            t->text[t->len + (size_t)i] = '?';
    if (n > 0)
        t->len += (size_t)n;
    t->text[t->len] = '\0';
    return n < 0 ? 0 : n;
}

static const char *wait_for(talk *t, const char *text)
{
    const char *at;

    t->text[t->len] = '\0';
    while (!(at = strstr(t->text, text))) {
        if (read_more(t) > 0)
            continue;
        fprintf(stderr, "\nwaited for \"%s\" and got \"...%s\"\n", text,
                t->text + (t->len > SHOWN ? t->len - SHOWN : 0));
        return NULL;
    }
    return at;
}

bool talk_gets(talk *t, const char *text)
{
    const char *at = wait_for(t, text);

    if (at)
        take(t, (size_t)(at - t->text) + strlen(text));
    return at != NULL;
}

const char *talk_until(talk *t, const char *text)
{
    static char before[sizeof t->text];
    const char *at = wait_for(t, text);
    size_t len = at ? (size_t)(at - t->text) : 0;

    if (!at)
        return NULL;
    memcpy(before, t->text, len);
    before[len] = 0;
    take(t, len + strlen(text));
    return before;
}

long talk_number(talk *t, const char *before, const char *after)
{
    long number = -1;

    if (talk_gets(t, before) && wait_for(t, after)) {
        number = strtol(t->text, NULL, 10);
        talk_gets(t, after);
    }
    return number;
}

const char *talk_rest(talk *t)
{
    ssize_t n;

    t->text[t->len] = '\0';
    do
        n = read_more(t);
    while (n > 0);
    return n == 0 ? t->text : NULL;
}
