/* outside.h - for the suites about descriptors: a world on the real machine, whose polls
   are counted and which may be lied to, and where each event is put into words, as under a
   trace; and sockets. */
#ifndef OUTSIDE_H
#define OUTSIDE_H

#include "world.h"

#include <sys/resource.h>

struct outside {
    unsigned polls, glances;       /* all, and those that were not allowed to block */
    int lie_about;                 /* the next poll says it is ready for all; -1: no lie */
    int fails;                     /* not 0: what every poll gives */
};
extern struct outside outside;

/* Begin and end a test. A task or a descriptor that is left over fails it. */
void outside_open(void);
void outside_open_with(coop_options options);
void outside_close(void);

/* Runs a routine between the two, and checks what it returns. */
#define OUTSIDE(expected, ...) (outside_open(), IS(coop_main(__VA_ARGS__), expected), \
                                outside_close())

/* The same on a poller, and on each that there is, whatever COOP_POLLER asks for. */
#define ON(by, expected, ...) (outside_open_with((coop_options){ .poller = (by) }), \
                               IS(coop_main(__VA_ARGS__), expected), outside_close())
#define ON_ALL(expected, ...)                                                       \
    for (int i_ = 0; i_ < POLLERS; i_++)                                            \
        if (outside_has(outside_pollers[i_]))                                       \
            ON(outside_pollers[i_], expected, __VA_ARGS__)

enum { POLLERS = 4 };
extern const char *const outside_pollers[POLLERS];
bool outside_has(const char *poller);

/* To be awaited: all tasks that can run do, and then the outside is looked at. */
coop_declare(settle, int unused;);

/* Is that the poller that COOP_POLLER asks for? */
bool outside_is_by(const char *poller);

/* To be awaited: what was closed behind the kernel's back is noticed, which leaves so many
   descriptors waited for. epoll needs some time. */
coop_declare(notice, int left;);

/* One call of those that wait for descriptors; it gives the call's result. */
enum kind { READ_WAIT, WRITE_WAIT, RECV, SEND, ACCEPT, KINDS };
coop_declare(attempt, enum kind kind; int fd; void *buf; size_t len; coop_value r;);

/* The same as a task, which says what came of it, as in "name=-9". It closes what it
   accepts and says 0 then. */
coop_declare(waiter, const char *name; enum kind kind; int fd; coop_value r; char buf[16];);

/* How many descriptors are waited for, as the poller task itself says; -1: it has not
   begun. */
int outside_watched(void);

/* The call that a task waits in, "" if it does not. waits_in checks which kind it is. */
const char *outside_call(coop_tid tid);
void waits_in(coop_tid tid, enum kind kind);

/* All of these end the program when the host refuses. */
void need(bool well, const char *what);
void pair(int fds[2]);             /* a stream socket pair, both ends non-blocking */
void close_pair(int fds[2]);
int listener(void);                /* on 127.0.0.1, and it blocks */
int connect_to(int listener);      /* a client's socket, non-blocking */
int connection(int *client);       /* both ends of one, non-blocking */
int port_of(int fd);
void reset(int fd);                /* close so that the other side sees a reset */
void fill(int fd);                 /* until it cannot be written to */
size_t drain(int fd);              /* until it cannot be read from */
bool is_open(int fd);
int moved(int fd, int to);         /* to another number */

/* False, and says so, where the host does not allow that many. */
bool may_open(rlim_t fds);
void allow_no_more_descriptors(void);
void allow_descriptors_again(void);

/* "unix://@NAME-PID": several runs of a suite at once have each their own. Good until the
   next. */
const char *local_address(const char *name);

#endif
