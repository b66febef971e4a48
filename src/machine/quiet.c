/* quiet.c - host calls that give EPIPE without the signal, which would end the program. */
#include "config.h"

#include "machine/quiet.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

static void only_pipe(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGPIPE);
}

/* A signal that was not blocked before cannot have been pending. */
void coop_quiet_begin(struct coop_quiet *q)
{
    sigset_t pipe, pending;
    only_pipe(&pipe);
    sigemptyset(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe, &q->before);
    if (sigismember(&q->before, SIGPIPE))
        sigpending(&pending);
    q->pending = sigismember(&pending, SIGPIPE);
}

void coop_quiet_end(const struct coop_quiet *q, bool broken)
{
    int error = errno;
    sigset_t pipe;
    only_pipe(&pipe);
    if (broken && !q->pending)
        sigtimedwait(&pipe, NULL, &(struct timespec){ 0, 0 });
    pthread_sigmask(SIG_SETMASK, &q->before, NULL);
    errno = error;
}

ssize_t coop_write_quietly(int fd, const void *buf, size_t len)
{
    struct coop_quiet quiet;
    coop_quiet_begin(&quiet);
    ssize_t n = write(fd, buf, len);
    coop_quiet_end(&quiet, n < 0 && errno == EPIPE);
    return n;
}
