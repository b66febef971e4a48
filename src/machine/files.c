/* files.c - the real machine: descriptors of any kind, files, and names. */
#include "config.h"

#include "machine/quiet.h"
#include "machine/unix.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* More is left to helper threads, also where it would only be copied. */
enum { COPIED_AT_ONCE = 1 << 18 };

static int way(coop_machine *m, int fd)
{
    struct stat st;
    (void)m;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISBLK(st.st_mode))
        return COOP_BY_HELPER;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0)
        return -errno;
    return flags & O_NONBLOCK ? COOP_BY_TRYING : COOP_BY_POLL;
}

/* The way of a descriptor that would not wait now; -EAGAIN if it would, or be slow. */
static int way_now(coop_machine *m, int fd, short event)
{
    int by = way(m, fd);
    struct pollfd p = { .fd = fd, .events = event };
    if (by == COOP_BY_HELPER || (by == COOP_BY_POLL && poll(&p, 1, 0) <= 0))
        return -EAGAIN;
    return by;
}

/* What is there, or in the host's memory. -EAGAIN: nothing; -ENOTSUP: it cannot be told. */
static coop_value read_there(int fd, void *buf, size_t len, int64_t at)
{
#if defined HAVE_PREADV2 && defined RWF_NOWAIT
    struct iovec to = { buf, len };
    if (len <= COPIED_AT_ONCE) {
        ssize_t n = preadv2(fd, &to, 1, at, RWF_NOWAIT);
        return n >= 0 ? n : errno == EAGAIN ? -EAGAIN : -ENOTSUP;
    }
#else
    (void)fd, (void)buf, (void)len, (void)at;
#endif
    return -ENOTSUP;
}

/* Some hosts have said 0 for a file that does not end there: a helper is to ask again. */
static coop_value read_fd(coop_machine *m, int fd, void *buf, size_t len)
{
    ssize_t n = read_there(fd, buf, len, -1);
    if (n > 0 || n == -EAGAIN)
        return n;
    int by = way_now(m, fd, POLLIN);
    if (by < 0 || n == 0)
        return by < 0 ? by : 0;
    do
        n = read(fd, buf, len);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

/* Less than was asked for counts only at the end. */
static coop_value pread_now(coop_machine *m, int fd, void *buf, size_t len, int64_t at)
{
    coop_value n = read_there(fd, buf, len, at);
    struct stat st;
    (void)m;
    if (n < 0 || (size_t)n == len)
        return n < 0 ? -EAGAIN : n;
    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && at + n >= st.st_size ? n : -EAGAIN;
}

/* A terminal with room may have too little of it, and would block then. The program's own
   descriptor stays as it is, so it is opened once more. */
static ssize_t write_terminal(int fd, const void *buf, size_t len)
{
    char name[256];
    int own = -1;
    if (ttyname_r(fd, name, sizeof name) == 0)
        own = open(name, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (own < 0)
        return coop_write_quietly(fd, buf, 1);
    ssize_t n = write(own, buf, len);
    int error = errno;
    close(own);
    errno = error;
    return n;
}

static ssize_t write_some(int fd, const void *buf, size_t len, bool may_block)
{
    if (may_block && isatty(fd))
        return write_terminal(fd, buf, len);
    if (may_block && len > PIPE_BUF)
        len = PIPE_BUF;            /* for so much there is room, if there is any */
    return coop_write_quietly(fd, buf, len);
}

static coop_value write_fd(coop_machine *m, int fd, const void *buf, size_t len)
{
    ssize_t n;
    do
        n = m->send(m, fd, buf, len);
    while (n == -EINTR);
    if (n != -ENOTSOCK)
        return n;
    int by = way_now(m, fd, POLLOUT);
    if (by < 0)
        return by;
    do
        n = write_some(fd, buf, len, by == COOP_BY_POLL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

/* ---- Files, for helper threads ---- */

static int open_file(coop_machine *m, const char *path, int flags, int mode)
{
    int fd;
    (void)m;
    do
        fd = open(path, flags | O_CLOEXEC, (mode_t)mode);
    while (fd < 0 && errno == EINTR);
    return fd < 0 ? -errno : fd;
}

static ssize_t read_once(int fd, void *buf, size_t len, int64_t at)
{
    ssize_t n;
    do
        n = at < 0 ? read(fd, buf, len) : pread(fd, buf, len, (off_t)at);
    while (n < 0 && errno == EINTR);
    return n;
}

static ssize_t write_once(int fd, const void *buf, size_t len, int64_t at)
{
    ssize_t n;
    do
        n = at < 0 ? write(fd, buf, len) : pwrite(fd, buf, len, (off_t)at);
    while (n < 0 && errno == EINTR);
    return n;
}

static coop_value pread_file(coop_machine *m, int fd, void *buf, size_t len, int64_t at)
{
    size_t done = 0;
    (void)m;
    do {
        ssize_t n = read_once(fd, (char *)buf + done, len - done, at);
        if (n < 0 && done == 0)
            return -errno;
        if (n <= 0)
            break;
        done += (size_t)n;
        at += at < 0 ? 0 : n;
    } while (done < len && at >= 0);
    return (coop_value)done;
}

static coop_value pwrite_file(coop_machine *m, int fd, const void *buf, size_t len,
                              int64_t at)
{
    size_t done = 0;
    (void)m;
    do {
        ssize_t n = write_once(fd, (const char *)buf + done, len - done, at);
        if (n < 0 && done == 0)
            return -errno;
        if (n <= 0)
            break;
        done += (size_t)n;
        at += at < 0 ? 0 : n;
    } while (done < len);
    return (coop_value)done;
}

static int fsync_file(coop_machine *m, int fd, bool data)
{
    int r;
    (void)m;
    (void)data;
    do
#ifdef HAVE_FDATASYNC
        r = data ? fdatasync(fd) : fsync(fd);
#else
        r = fsync(fd);
#endif
    while (r < 0 && errno == EINTR);
    return r < 0 ? -errno : 0;
}

static coop_file_kind kind_of(mode_t mode)
{
    return S_ISREG(mode) ? COOP_REGULAR : S_ISDIR(mode) ? COOP_FOLDER
         : S_ISFIFO(mode) ? COOP_PIPE : S_ISSOCK(mode) ? COOP_SOCKET : COOP_DEVICE;
}

static int stat_file(coop_machine *m, const char *path, int fd, coop_stat *to)
{
    struct stat st;
    (void)m;
    if ((path ? stat(path, &st) : fstat(fd, &st)) < 0)
        return -errno;
    *to = (coop_stat){
        .kind = kind_of(st.st_mode), .mode = (int)(st.st_mode & 07777), .size = st.st_size,
        .modified = st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec,
        .device = (uint64_t)st.st_dev, .number = (uint64_t)st.st_ino
    };
    return 0;
}

static int unlink_file(coop_machine *m, const char *path)
{
    (void)m;
    return unlink(path) < 0 ? -errno : 0;
}

/* ---- Names ---- */

static int resolver_error(int error, int system)
{
    switch (error) {
    case EAI_NONAME:
#ifdef EAI_NODATA
    case EAI_NODATA:
#endif
#ifdef EAI_ADDRFAMILY
    case EAI_ADDRFAMILY:
#endif
        return -ENOENT;
    case EAI_AGAIN:
        return -EAGAIN;
    case EAI_MEMORY:
        return -ENOMEM;
    case EAI_SYSTEM:
        return system ? -system : -EHOSTUNREACH;
    default:
        return -EHOSTUNREACH;
    }
}

static bool tell_address(const struct addrinfo *from, coop_address *to)
{
    char host[NI_MAXHOST];
    if (getnameinfo(from->ai_addr, from->ai_addrlen, host, sizeof host, NULL, 0,
                    NI_NUMERICHOST))
        return false;
    int n = snprintf(to->text, sizeof to->text, strchr(host, ':') ? "[%s]" : "%s", host);
    return n < (int)sizeof to->text;
}

static int resolve(coop_machine *m, const char *name, coop_address *addresses, int max)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    struct addrinfo *found;
    int count = 0;
    (void)m;
    int r = getaddrinfo(name, NULL, &hints, &found);
    if (r)
        return resolver_error(r, errno);
    for (const struct addrinfo *at = found; at && count < max; at = at->ai_next)
        count += tell_address(at, &addresses[count]);
    freeaddrinfo(found);
    return count ? count : -ENOENT;
}

void coop_host_files(coop_machine *m)
{
    m->way = way;
    m->read = read_fd;
    m->write = write_fd;
    m->pread_now = pread_now;
    m->open = open_file;
    m->pread = pread_file;
    m->pwrite = pwrite_file;
    m->fsync = fsync_file;
    m->stat = stat_file;
    m->unlink = unlink_file;
    m->resolve = resolve;
}
