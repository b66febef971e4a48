/* unix.h - the real machine's parts: each file fills in its own functions of the table. */
#ifndef COOP_UNIX_H
#define COOP_UNIX_H

#include "machine/machine.h"
#include "machine/poller.h"

#include <pthread.h>
#include <sys/types.h>

struct coop_pool;
struct coop_guard;

struct coop_host {
    coop_machine face;
    coop_poller *poller;
    _Atomic int wakeup[2];         /* a pipe; -1: there is none */
    dev_t wakeup_device;           /* which tell whether the numbers are still its */
    ino_t wakeup_inode;
    bool heeds;                    /* others may rouse */
    struct coop_pool *pool;        /* threads.c; NULL as long as no job was given */
    unsigned threads;              /* at most */
    struct coop_guard *guard;      /* guard.c; NULL: there is none */
    _Atomic uint64_t wanted;       /* signals.c: the signals that this machine takes */
    _Atomic uint64_t come;         /* those that have come; written by handlers */
    struct coop_host *_Atomic next_wanting;     /* another machine that takes some */
};

#pragma GCC visibility push(hidden)

void coop_host_sockets(coop_machine *);
void coop_host_files(coop_machine *);
void coop_host_threads(coop_machine *);
void coop_host_guard(coop_machine *);
void coop_host_signals(coop_machine *);
void coop_host_children(coop_machine *);

void coop_host_end_threads(struct coop_host *);     /* waits for what runs */
void coop_host_end_signals(struct coop_host *);     /* gives back what it took */

/* threads.c: a thread that gets no signals; stack 0: of the host's usual size. 0 or an
   error. */
int coop_start_thread(pthread_t *, size_t stack, void *(*run)(void *), void *arg);

/* unix.c: make poll return, now or as soon as it is called; from any thread and from signal
   handlers, once coop_host_can_wake has given 0. */
int coop_host_can_wake(struct coop_host *);
void coop_host_wake(struct coop_host *);

/* The descriptor that a host call just gave: close-on-exec, and non-blocking if asked for;
   or closed, and an error. With fd < 0 -errno. */
int coop_adopt(int fd, bool nonblocking);

/* A pipe, close-on-exec; 0 or an error. */
int coop_make_pipe(int ends[2]);

#pragma GCC visibility pop

#endif
