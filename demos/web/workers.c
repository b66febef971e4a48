/* Workers: processes with a scheduler each, among which the host divides the connections.
   The process that starts them serves nobody: it takes the signals, and starts a worker
   anew that has crashed. Workers know by a pipe whether they are to go on, so they end when
   this process does, however it ends. */
#define _POSIX_C_SOURCE 200809L
#include "httpd.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 256 };

static struct {
    const struct settings *settings;
    pid_t pids[MOST];
    int count, placeholder, life[2], ready[2], status;
    bool stopping;
    sigset_t signals, before;
} all = { .placeholder = -1 };

static void close_at(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void work(void)
{
    int status;

    close_at(&all.placeholder);
    close_at(&all.life[1]);
    close_at(&all.ready[0]);
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    sigprocmask(SIG_SETMASK, &all.before, NULL);
    status = serve(all.settings, all.ready[1], all.life[0]);
    fflush(stdout);
    _exit(status);
}

static bool start(void)
{
    pid_t pid = fork();

    if (pid == 0)
        work();
    if (pid < 0) {
        fprintf(stderr, "httpd: no worker: %s\n", strerror(errno));
        return false;
    }
    all.pids[all.count++] = pid;
    return true;
}

static void stop(int status)
{
    if (all.stopping)              /* the second time */
        for (int i = 0; i < all.count; i++)
            kill(all.pids[i], SIGKILL);
    all.stopping = true;
    all.status |= status;
    close_at(&all.life[1]);
}

static void ended(pid_t pid, int how)
{
    for (int i = 0; i < all.count; i++)
        if (all.pids[i] == pid) {
            all.pids[i] = all.pids[--all.count];
            break;
        }
    if (all.stopping)
        return;
    if (!WIFSIGNALED(how)) {
        stop(1);
        return;
    }
    fprintf(stderr, "httpd: a worker was ended by signal %d; starting another\n",
            WTERMSIG(how));
    sleep(1);                      /* it may happen to the next one too */
    if (!start())
        stop(1);
}

/* Returns false if one ended before all were ready. */
static bool await_ready(void)
{
    char byte;

    close_at(&all.ready[1]);
    for (long i = 0; i < all.settings->workers; i++)
        if (read(all.ready[0], &byte, 1) != 1)
            return false;
    return true;
}

int workers_run(const struct settings *settings, int placeholder)
{
    int number, how;
    pid_t pid;

    all.settings = settings;
    all.placeholder = placeholder;
    sigemptyset(&all.signals);
    sigaddset(&all.signals, SIGINT);
    sigaddset(&all.signals, SIGTERM);
    sigaddset(&all.signals, SIGCHLD);
    sigprocmask(SIG_BLOCK, &all.signals, &all.before);
    if (pipe(all.life) < 0 || pipe(all.ready) < 0) {
        perror("httpd");
        return 1;
    }
    while (all.count < settings->workers && start())
        ;
    if (all.count < settings->workers || !await_ready())
        stop(1);
    close_at(&all.placeholder);
    if (!all.stopping) {
        printf("httpd: serving %s at http%s/ with %ld workers\n", settings->folder,
               settings->address + strlen("tcp"), settings->workers);
        fflush(stdout);
    }
    while (all.count > 0) {
        sigwait(&all.signals, &number);
        if (number != SIGCHLD)
            stop(0);
        while ((pid = waitpid(-1, &how, WNOHANG)) > 0)
            ended(pid, how);
    }
    return all.status;
}
