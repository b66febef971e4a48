/* quiet.h - host calls that give EPIPE without the signal, which would end the program. */
#ifndef COOP_QUIET_H
#define COOP_QUIET_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct coop_quiet {
    sigset_t before;
    bool pending;                  /* a SIGPIPE of the program's own */
};

#pragma GCC visibility push(hidden)

/* Around such a call; broken: it gave EPIPE. errno stays. */
void coop_quiet_begin(struct coop_quiet *);
void coop_quiet_end(const struct coop_quiet *, bool broken);

ssize_t coop_write_quietly(int fd, const void *buf, size_t len);     /* write() so */

#pragma GCC visibility pop

#endif
