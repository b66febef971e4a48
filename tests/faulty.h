/* faulty.h - makes a machine fail: the n-th call of one of its functions gives an error,
   and nothing is done; or only a part is done. Its table is changed where it stands, so
   calls that the machine makes of itself, and those of helper threads, fail too. */
#ifndef FAULTY_H
#define FAULTY_H

#include "machine/machine.h"

/* Each function that can fail, and the errors that the host's have. EAGAIN of those that
   wait for a descriptor: it is ready at the next poll. ECONNRESET, EPIPE, ETIMEDOUT: and
   the connection is over. Of close it is done all the same. */
#define FAULTY_KINDS(X)                                                             \
    X(listen, EADDRINUSE, EMFILE, ENFILE, ENOBUFS)                                  \
    X(accept, EAGAIN, EMFILE, ENFILE, ENOBUFS, ENOMEM)                              \
    X(connect, EMFILE, EADDRNOTAVAIL, ECONNREFUSED, ENETUNREACH)                    \
    X(connected, EAGAIN, ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH)                     \
    X(address, ENOBUFS)                                                             \
    X(recv, EINTR, EAGAIN, ECONNRESET, ETIMEDOUT, ENOMEM)                           \
    X(send, EINTR, EAGAIN, EPIPE, ECONNRESET, ENOBUFS, ETIMEDOUT)                   \
    X(recvfrom, EAGAIN, ECONNREFUSED, ENOMEM)                                       \
    X(sendto, EAGAIN, ENOBUFS, EPERM, ENETUNREACH)                                  \
    X(sendfile, EAGAIN, EIO, ENOMEM, EPIPE)                                         \
    X(shutdown, ENOTCONN)                                                           \
    X(close, EIO)                                                                   \
    X(watch, ENOMEM, ENOSPC, EMFILE, ENFILE)                                        \
    X(poll, ENOMEM)                                                                 \
    X(way, ENOMEM)                                                                  \
    X(read, EAGAIN, EIO)                                                            \
    X(write, EAGAIN, EPIPE, EIO, ENOSPC)                                            \
    X(pread_now, EAGAIN, EIO)                                                       \
    X(open, EMFILE, ENFILE, ENOENT, ENOSPC, EIO)                                    \
    X(pread, EIO)                                                                   \
    X(pwrite, EIO, ENOSPC, EFBIG, EDQUOT)                                           \
    X(fsync, EIO, ENOSPC, EDQUOT)                                                   \
    X(stat, EIO, ENOMEM)                                                            \
    X(unlink, EBUSY, EROFS)                                                         \
    X(resolve, EAGAIN, ENOENT, ENOMEM, EHOSTUNREACH)                                \
    X(work, EAGAIN, EMFILE, ENOMEM)                                                 \
    X(want, EMFILE, ENFILE)                                                         \
    X(spawn, EAGAIN, EMFILE, ENOMEM, ENOENT)                                        \
    X(child, ECHILD)                                                                \
    X(random, EIO)

#define FAULTY_KIND_(name, ...) FAULTY_##name,
enum faulty_kind { FAULTY_KINDS(FAULTY_KIND_) FAULTY_COUNT };

/* One byte is sent, received, read or written, and the next poll tells that there is more;
   poll returns early. */
enum { FAULTY_PART = 1 };

const char *faulty_name(enum faulty_kind kind);
/* The i-th fault of that kind, an error or FAULTY_PART; 0: there are no more. */
int faulty_fault(enum faulty_kind kind, int i);

/* From now on m fails: the nth call of kind, once. One machine at a time. */
void faulty_begin(coop_machine *m, enum faulty_kind kind, int fault, unsigned nth);
bool faulty_came(void);            /* there were as many calls */

#endif
