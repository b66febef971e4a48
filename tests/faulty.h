/* faulty.h - makes a machine fail: the n-th call of one of its functions gives an error,
   and nothing is done; or only a part is done. Its table is changed where it stands, so
   calls that the machine makes of itself, and those of helper threads, fail too. */
#ifndef FAULTY_H
#define FAULTY_H

#include "machine/machine.h"

/* Each function that can fail, and the errors that the host's have, but for EBADF and ESRCH
   where others are told the same in any session. EAGAIN of those that wait for a
   descriptor: it is ready at the next poll. ECONNRESET, EPIPE, ETIMEDOUT: and the
   connection is over. Of close it is done all the same. */
#define FAULTY_KINDS(X)                                                             \
    X(listen, EADDRINUSE, EADDRNOTAVAIL, EACCES, EAFNOSUPPORT, EMFILE, ENFILE,      \
      ENOBUFS, ENOMEM)                                                              \
    X(accept, EAGAIN, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPERM, EINVAL,               \
      EOPNOTSUPP)                                                                   \
    X(connect, EMFILE, ENFILE, ENOBUFS, ENOMEM, EACCES, EPERM, EADDRNOTAVAIL,       \
      ECONNREFUSED, ENETUNREACH, EHOSTUNREACH, ETIMEDOUT)                           \
    X(connected, EAGAIN, ECONNREFUSED, ECONNRESET, ETIMEDOUT, EHOSTUNREACH,         \
      ENETUNREACH, EACCES)                                                          \
    X(address, ENOBUFS, ENOTCONN)                                                   \
    X(recv, EINTR, EAGAIN, ECONNRESET, ETIMEDOUT, ENOMEM, ENOTCONN,                 \
      ECONNREFUSED, EHOSTUNREACH)                                                   \
    X(send, EINTR, EAGAIN, EPIPE, ECONNRESET, ENOBUFS, ENOMEM, ETIMEDOUT,           \
      ENOTCONN, EHOSTUNREACH, ENETUNREACH)                                          \
    X(recvfrom, EAGAIN, ECONNREFUSED, ENOMEM, EHOSTUNREACH)                         \
    X(sendto, EAGAIN, ENOBUFS, ENOMEM, EPERM, EACCES, ENETUNREACH, EHOSTUNREACH,    \
      EMSGSIZE, ECONNREFUSED)                                                       \
    X(sendfile, EAGAIN, EIO, ENOMEM, EPIPE, ECONNRESET, EINVAL, EOVERFLOW)          \
    X(shutdown, ENOTCONN)                                                           \
    X(close, EIO, ENOSPC, EDQUOT)                                                   \
    X(watch, ENOMEM, ENOSPC, EMFILE, ENFILE)                                        \
    X(poll, ENOMEM, EINVAL)                                                         \
    X(way, ENOMEM, EBADF, EOVERFLOW)                                                \
    X(read, EAGAIN, EIO, EISDIR, ECONNRESET, ENOMEM)                                \
    X(write, EAGAIN, EPIPE, EIO, ENOSPC, EFBIG, EDQUOT, ECONNRESET, ENOMEM)         \
    X(pread_now, EAGAIN, EIO, EISDIR)                                               \
    X(open, EMFILE, ENFILE, ENOMEM, ENOENT, EACCES, EEXIST, EISDIR, ENOTDIR,        \
      ELOOP, ENAMETOOLONG, ENXIO, EROFS, ENOSPC, EDQUOT, EIO)                       \
    X(pread, EIO, EISDIR, ENXIO, EOVERFLOW)                                         \
    X(pwrite, EIO, ENOSPC, EFBIG, EDQUOT, EPERM)                                    \
    X(fsync, EIO, ENOSPC, EDQUOT, EROFS, EINVAL)                                    \
    X(stat, EIO, ENOMEM, EACCES, ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG,              \
      EOVERFLOW)                                                                    \
    X(unlink, EBUSY, EROFS, EACCES, EPERM, ENOENT, EISDIR, EIO)                     \
    X(resolve, EAGAIN, ENOENT, ENOMEM, EHOSTUNREACH, EMFILE, ENFILE)                \
    X(work, EAGAIN, EMFILE, ENFILE, ENOMEM)                                         \
    X(want, EMFILE, ENFILE, ENOMEM)                                                 \
    X(spawn, EAGAIN, EMFILE, ENFILE, ENOMEM, ENOENT, EACCES, ENOEXEC, E2BIG,        \
      ELOOP, ENOTDIR, EIO)                                                          \
    X(child, ECHILD)                                                                \
    X(kill, EPERM)                                                                  \
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
