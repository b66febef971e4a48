#include "config.h"
#include "faulty.h"

#include <errno.h>

static coop_machine real;          /* the table as it was */
static struct {
    enum faulty_kind kind;
    int fault;
    unsigned nth;
    _Atomic unsigned calls;        /* helper threads make some */
    coop_fired late;               /* what the next poll is to tell, too; fd -1: nothing */
} faulty;

enum { MOST_FAULTS = 16 };         /* of a kind */

#define NAME_(name, ...) #name,
#define FAULTS_(name, ...) { __VA_ARGS__ },

const char *faulty_name(enum faulty_kind kind)
{
    static const char *const names[] = { FAULTY_KINDS(NAME_) };
    return names[kind];
}

static bool has_parts(enum faulty_kind kind)
{
    return kind == FAULTY_recv || kind == FAULTY_send || kind == FAULTY_sendfile
        || kind == FAULTY_read || kind == FAULTY_write || kind == FAULTY_poll;
}

int faulty_fault(enum faulty_kind kind, int i)
{
    static const int faults[][MOST_FAULTS + 1] = { FAULTY_KINDS(FAULTS_) };
    if (faults[kind][i])
        return -faults[kind][i];
    return has_parts(kind) && (i == 0 || faults[kind][i - 1]) ? FAULTY_PART : 0;
}

bool faulty_came(void)
{
    return faulty.calls >= faulty.nth;
}

static int due(enum faulty_kind kind)
{
    return kind == faulty.kind && ++faulty.calls == faulty.nth ? faulty.fault : 0;
}

/* The same for what waits for an event of a descriptor. */
static int due_on(coop_machine *m, enum faulty_kind kind, int fd, unsigned event)
{
    int fault = due(kind);
    if (fault == -EAGAIN || fault == FAULTY_PART)
        faulty.late = (coop_fired){ fd, event };
    if (fault == -EPIPE || fault == -ECONNRESET || fault == -ETIMEDOUT)
        real.shutdown(m, fd, COOP_BOTH);
    return fault;
}

#define FAILS(type, name, parameters, ...)                                          \
    static type name##_or_not parameters                                            \
    {                                                                               \
        int fault = due(FAULTY_##name);                                             \
        return fault < 0 ? fault : real.name(__VA_ARGS__);                          \
    }
#define FAILS_ON(event, type, name, parameters, ...)                                \
    static type name##_or_not parameters                                            \
    {                                                                               \
        int fault = due_on(m, FAULTY_##name, fd, event);                               \
        return fault < 0 ? fault : real.name(__VA_ARGS__);                          \
    }
#define SOME (fault == FAULTY_PART && len ? 1 : len)

FAILS(int, random, (coop_machine *m, void *buf, size_t len), m, buf, len)
FAILS(int, way, (coop_machine *m, int fd), m, fd)
FAILS(coop_value, pread_now, (coop_machine *m, int fd, void *buf, size_t len, int64_t at),
      m, fd, buf, len, at)
FAILS(int, listen, (coop_machine *m, const coop_spot *at, int backlog, bool shared),
      m, at, backlog, shared)
FAILS(int, connect, (coop_machine *m, const coop_spot *to), m, to)
FAILS(int, address, (coop_machine *m, int fd, bool peer, char *text, size_t size),
      m, fd, peer, text, size)
FAILS(int, shutdown, (coop_machine *m, int fd, int how), m, fd, how)
FAILS(int, open, (coop_machine *m, const char *path, int flags, int mode),
      m, path, flags, mode)
FAILS(coop_value, pread, (coop_machine *m, int fd, void *buf, size_t len, int64_t at),
      m, fd, buf, len, at)
FAILS(coop_value, pwrite,
      (coop_machine *m, int fd, const void *buf, size_t len, int64_t at),
      m, fd, buf, len, at)
FAILS(int, fsync, (coop_machine *m, int fd, bool data), m, fd, data)
FAILS(int, stat, (coop_machine *m, const char *path, int fd, coop_stat *to),
      m, path, fd, to)
FAILS(int, unlink, (coop_machine *m, const char *path), m, path)
FAILS(int, resolve, (coop_machine *m, const char *name, coop_address *to, int max),
      m, name, to, max)
FAILS(int, work, (coop_machine *m, coop_job *job), m, job)
FAILS(int, want, (coop_machine *m, uint64_t signals), m, signals)
FAILS(int, spawn, (coop_machine *m, const struct coop_Spawn *c), m, c)
FAILS(int, child, (coop_machine *m, int pid, int *status, int *signal),
      m, pid, status, signal)
FAILS(int, kill, (coop_machine *m, int pid, int signal), m, pid, signal)

FAILS_ON(COOP_READ, int, accept, (coop_machine *m, int fd, bool *stream), m, fd, stream)
FAILS_ON(COOP_WRITE, int, connected, (coop_machine *m, int fd), m, fd)
FAILS_ON(COOP_READ, coop_value, read, (coop_machine *m, int fd, void *buf, size_t len),
         m, fd, buf, SOME)
FAILS_ON(COOP_WRITE, coop_value, write,
         (coop_machine *m, int fd, const void *buf, size_t len), m, fd, buf, SOME)
FAILS_ON(COOP_READ, coop_value, recv, (coop_machine *m, int fd, void *buf, size_t len),
         m, fd, buf, SOME)
FAILS_ON(COOP_WRITE, coop_value, send,
         (coop_machine *m, int fd, const void *buf, size_t len), m, fd, buf, SOME)
FAILS_ON(COOP_READ, coop_value, recvfrom,
         (coop_machine *m, int fd, void *buf, size_t len, char *from, size_t size),
         m, fd, buf, len, from, size)
FAILS_ON(COOP_WRITE, coop_value, sendto,
         (coop_machine *m, int fd, const void *buf, size_t len, const coop_spot *to),
         m, fd, buf, len, to)
FAILS_ON(COOP_WRITE, coop_value, sendfile,
         (coop_machine *m, int fd, int file, int64_t offset, size_t len),
         m, fd, file, offset, SOME)

/* To look for less, or for nothing, always goes well. */
static int watch_or_not(coop_machine *m, int fd, unsigned events)
{
    int fault = events & COOP_ANEW ? due(FAULTY_watch) : 0;
    return fault < 0 ? fault : real.watch(m, fd, events);
}

static int close_or_not(coop_machine *m, int fd)
{
    int fault = due(FAULTY_close), r = real.close(m, fd);
    if (faulty.late.fd == fd)
        faulty.late.fd = -1;
    return fault < 0 ? fault : r;
}

static int poll_or_not(coop_machine *m, int64_t timeout, coop_fired *fired, int max)
{
    int fault = due(FAULTY_poll);
    coop_fired late = faulty.late;
    if (fault)
        return fault < 0 ? fault : 0;
    if (late.fd < 0)
        return real.poll(m, timeout, fired, max);
    faulty.late.fd = -1;
    int n = real.poll(m, 0, fired, max - 1);
    for (int i = 0; i < n; i++)
        if (fired[i].fd == late.fd) {
            fired[i].events |= late.events;
            return n;
        }
    if (n >= 0)
        fired[n++] = late;
    return n;
}

void faulty_begin(coop_machine *m, enum faulty_kind kind, int fault, unsigned nth)
{
    real = *m;
    faulty.kind = kind;
    faulty.fault = fault;
    faulty.nth = nth;
    faulty.calls = 0;
    faulty.late.fd = -1;
#define REPLACE_(name, ...) if (m->name) m->name = name##_or_not;
    FAULTY_KINDS(REPLACE_)
}
