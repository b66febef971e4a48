/* console.c - plain blocking reads and writes, for those who talk to people. */
#include "config.h"

#include "machine/quiet.h"
#include "machine/unix.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

void coop_say(int fd, const char *text, size_t len)
{
    while (len) {
        ssize_t n = coop_write_quietly(fd, text, len);
        if (n < 0 && errno == EAGAIN)
            poll(&(struct pollfd){ .fd = fd, .events = POLLOUT }, 1, -1);
        else if (n < 0 && errno != EINTR)
            return;
        if (n > 0) {
            text += n;
            len -= (size_t)n;
        }
    }
}

/* One byte at a time: what follows the line may belong to somebody else. */
int coop_ask(int fd, char *line, size_t size)
{
    size_t used = 0;
    for (;;) {
        char c;
        ssize_t n = read(fd, &c, 1);
        if (n < 0 && errno == EAGAIN)
            poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, -1);
        else if (n < 0 && errno != EINTR)
            return -errno;
        if (n == 0 && used == 0)
            return -ENODATA;
        if (n == 0 || (n > 0 && c == '\n'))
            break;
        if (n > 0 && used + 1 < size)
            line[used++] = c;
    }
    line[used] = '\0';
    return (int)used;
}

int coop_open_log(const char *path, bool write)
{
    int flags = write ? O_WRONLY | O_CREAT | O_TRUNC : O_RDONLY;
    int fd = open(path, flags | O_CLOEXEC, 0666);
    return fd < 0 ? -errno : fd;
}

void coop_close_log(int fd)
{
    if (fd > 2)
        close(fd);
}

bool coop_terminal(int fd)
{
    return isatty(fd);
}

bool coop_can_read(const void *from, size_t len)
{
#ifdef HAVE_PROCESS_VM_READV
    char copy[64];
    struct iovec to = { copy, sizeof copy };
    struct iovec at = { (void *)from, len < sizeof copy ? len : sizeof copy };
    if (from && len) {
        ssize_t n = process_vm_readv(getpid(), &to, 1, &at, 1, 0);
        return n < 0 ? errno != EFAULT : n == (ssize_t)at.iov_len;
    }
#endif
    return from || !len;
}

bool coop_peek(void *to, const void *from, size_t len)
{
#ifdef HAVE_PROCESS_VM_READV
    struct iovec here = { to, len }, there = { (void *)from, len };
    return process_vm_readv(getpid(), &here, 1, &there, 1, 0) == (ssize_t)len;
#else
    (void)to, (void)from, (void)len;
    return false;
#endif
}
