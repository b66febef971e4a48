/* Several processes that share a port. Each is a whole server, with a scheduler of its own:
   a scheduler uses one processor. The host divides the connections among them. */
#define _POSIX_C_SOURCE 200809L
#include "server.h"
#include "options.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

struct workers {
    pid_t pid[WORKERS_MAX];        /* 0: has ended */
    int started, living;
    bool well;
};

static void nothing(int number)
{
    (void)number;
}

/* Signals are taken by sigwait, so that none comes at a wrong time. */
static void block_signals(sigset_t *signals)
{
    struct sigaction action = { .sa_handler = nothing };

    sigemptyset(signals);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGTERM);
    sigaddset(signals, SIGCHLD);
    sigprocmask(SIG_BLOCK, signals, NULL);
    sigemptyset(&action.sa_mask);
    sigaction(SIGCHLD, &action, NULL);
}

/* In the new process. Ctrl-C goes to all of them, and once more from the first: so they
   listen to SIGTERM alone. */
static int work(const struct options *options, const sigset_t *signals, int number,
                int report)
{
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGTERM);
#endif
    signal(SIGCHLD, SIG_DFL);
    signal(SIGINT, SIG_IGN);
    sigprocmask(SIG_UNBLOCK, signals, NULL);
    server.worker = number;
    server.report = report;
    return serve(options);
}

/* Starts one, and waits until it listens: its address is in bound then. */
static bool start(struct workers *workers, const struct options *options,
                  const sigset_t *signals, char *bound, size_t size)
{
    int ends[2], number = workers->started + 1;
    ssize_t n;
    pid_t pid;

    if (pipe(ends) < 0 || (pid = fork()) < 0) {
        fprintf(stderr, "taskserver: cannot start worker %d: %s\n", number,
                strerror(errno));
        return false;
    }
    if (pid == 0) {
        close(ends[0]);
        exit(work(options, signals, number, ends[1]));
    }
    close(ends[1]);
    while ((n = read(ends[0], bound, size - 1)) < 0 && errno == EINTR)
        ;
    close(ends[0]);
    workers->pid[workers->started++] = pid;
    workers->living++;
    if (n <= 0)
        return false;
    bound[n] = '\0';
    server_log("worker %d is process %d", number, (int)pid);
    return true;
}

static void tell_all(const struct workers *workers)
{
    for (int i = 0; i < WORKERS_MAX; i++)
        if (workers->pid[i] > 0)
            kill(workers->pid[i], SIGTERM);
}

static void reap(struct workers *workers)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (int i = 0; i < WORKERS_MAX; i++) {
            if (workers->pid[i] != pid)
                continue;
            workers->pid[i] = 0;
            workers->living--;
            if (WIFSIGNALED(status))
                server_log("worker %d was ended by signal %d", i + 1, WTERMSIG(status));
            workers->well &= WIFEXITED(status) && WEXITSTATUS(status) == 0;
        }
}

/* All have the port that the first has found. */
static void keep_port(struct options *options, const char *bound)
{
    char *port = strrchr(options->address, ':');

    if (strcmp(port, ":0") == 0)
        snprintf(port, sizeof options->address - (size_t)(port - options->address), "%s",
                 strrchr(bound, ':'));
}

int workers_serve(struct options *options)
{
    struct workers workers = { .well = true };
    char bound[128];
    sigset_t signals;
    int number;

    block_signals(&signals);
    while (workers.started < options->workers && workers.well) {
        workers.well = start(&workers, options, &signals, bound, sizeof bound);
        if (workers.well)
            keep_port(options, bound);
    }
    if (workers.well)
        server_listens(bound);
    else
        tell_all(&workers);
    while (workers.living > 0) {
        if (sigwait(&signals, &number) == 0 && number != SIGCHLD)
            tell_all(&workers);
        reap(&workers);
    }
    if (workers.started == options->workers)
        server_log("stopped: all workers have ended");
    return workers.well ? 0 : 1;
}
