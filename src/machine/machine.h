/* machine.h - the seam to everything outside: clock, descriptors, sockets, console.

   The kernel, the system calls and the system tasks reach the host through this table
   alone. Functions give 0 or more, or a negative errno, and never block but poll. */
#ifndef COOP_MACHINE_H
#define COOP_MACHINE_H

#include "coop.h"

enum { COOP_READ = 1, COOP_WRITE = 2, COOP_BAD = 4 };

typedef struct coop_fired {
    int fd;
    unsigned events;               /* COOP_READ, COOP_WRITE; COOP_BAD: not open */
} coop_fired;

struct coop_machine {
    const char *name;
    int64_t (*now)(coop_machine *);                 /* ns, never goes back */

    /* What poll looks for on fd from now on; 0: nothing. With an error, nothing has
       changed. -EMFILE: fd is past what can be watched. */
    int (*watch)(coop_machine *, int fd, unsigned events);
    /* Waits up to timeout ns (0: not at all, -1: no limit) and stores what fired,
       in the order in which its tasks are to wake. May return early with 0. */
    int (*poll)(coop_machine *, int64_t timeout, coop_fired *fired, int max);

    int (*listen)(coop_machine *, const char *host, const char *port, int backlog);
    int (*accept)(coop_machine *, int fd);
    /* Writes "host:port", "[host]:port" for IPv6; of this side or the other. */
    int (*address)(coop_machine *, int fd, bool peer, char *text, size_t size);
    coop_value (*recv)(coop_machine *, int fd, void *buf, size_t len);
    coop_value (*send)(coop_machine *, int fd, const void *buf, size_t len);
    int (*close)(coop_machine *, int fd);

    void (*free)(coop_machine *);
};

#pragma GCC visibility push(hidden)

/* As coop_unix, and says why not: -EINVAL for a word that is none. */
int coop_open_unix(const char *poller, coop_machine **machine);

/* Plain blocking console access, for reports, traces and the stepper. */
void coop_say(int fd, const char *text, size_t len);
int coop_ask(int fd, char *line, size_t size);      /* length, -ENODATA at the end */
bool coop_terminal(int fd);
int coop_open_log(const char *path, bool write);
/* False when reading so much there would end the program: an observer may not. */
bool coop_can_read(const void *from, size_t len);
void coop_close_log(int fd);                        /* not the standard ones */

#pragma GCC visibility pop

#endif
