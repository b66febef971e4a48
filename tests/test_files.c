/* Files, and Read and Write of descriptors of every kind; names. */
#include "outside.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { MUCH = 1 << 20 };
static char much[MUCH], come[MUCH];

static void make_much(void)
{
    for (int i = 0; i < MUCH; i++)
        much[i] = (char)(i % 251);
    memset(come, 0, MUCH);
}

static void pipe_of(int fds[2], bool nonblocking)
{
    need(pipe(fds) == 0, "pipe");
    for (int i = 0; nonblocking && i < 2; i++)
        need(fcntl(fds[i], F_SETFL, O_NONBLOCK) == 0, "fcntl");
}

static bool blocks(int fd)
{
    return !(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

/* One Read or Write in a task of its own, which says what came of it. */
coop_routine(reads, const char *name; int fd; void *to; size_t len; coop_value n;
             char buf[64];)
{
    coop_begin;
    coop_trap(my->n, Read, .fd = my->fd, .buf = my->to ? my->to : my->buf,
              .len = my->to ? my->len : sizeof my->buf);
    coop_finally;
    say("%s=%td", my->name, my->n);
    coop_end;
}

coop_routine(writes, const char *name; int fd; const void *from; size_t len; coop_value n;)
{
    coop_begin;
    coop_trap(my->n, Write, .fd = my->fd, .buf = my->from, .len = my->len);
    coop_finally;
    say("%s=%td", my->name, my->n);
    coop_end;
}

/* ---- Files ---- */

static void same_stat(const coop_stat *told, int fd)
{
    struct stat st;
    need(fstat(fd, &st) == 0, "fstat");
    IS(told->kind, COOP_REGULAR);
    IS(told->size, st.st_size);
    IS(told->mode, st.st_mode & 07777);
    IS(told->device, st.st_dev);
    IS(told->number, st.st_ino);
    IS(told->modified / COOP_S(1), st.st_mtime);
    IS(told->modified % COOP_S(1), st.st_mtim.tv_nsec);
}

coop_routine(a_file, int fd; coop_value r; coop_stat stat; char buf[32];)
{
    coop_begin;
    coop_trap(my->fd, Open, .path = "data", .flags = O_RDWR | O_CREAT | O_EXCL,
              .mode = 0640);
    CU_ASSERT_FATAL(my->fd >= 0);
    IS(fcntl(my->fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    coop_trap(my->r, Write, .fd = my->fd, .buf = "hello, world", .len = 12);
    IS(my->r, 12);
    coop_trap(my->r, Pwrite, .fd = my->fd, .buf = "there!", .len = 6, .at = 7);
    IS(my->r, 6);
    coop_trap(my->r, Read, .fd = my->fd, .buf = my->buf, .len = sizeof my->buf);
    IS(my->r, 1);
    IS(my->buf[0], '!');
    coop_trap(my->r, Read, .fd = my->fd, .buf = my->buf, .len = sizeof my->buf);
    IS(my->r, 0);
    coop_trap(my->r, Pread, .fd = my->fd, .buf = my->buf, .len = sizeof my->buf, .at = 7);
    IS(my->r, 6);
    CU_ASSERT_NSTRING_EQUAL(my->buf, "there!", 6);
    coop_trap(my->r, Pread, .fd = my->fd, .buf = my->buf, .len = 2, .at = 100);
    IS(my->r, 0);
    coop_trap(my->r, Fsync, .fd = my->fd);
    IS(my->r, 0);
    coop_trap(my->r, Fsync, .fd = my->fd, .data = true);
    IS(my->r, 0);
    coop_trap(my->r, Stat, .fd = my->fd, .stat = &my->stat);
    IS(my->r, 0);
    IS(my->stat.size, 13);
    same_stat(&my->stat, my->fd);
    coop_trap(my->r, Stat, .path = "data", .fd = -1, .stat = &my->stat);
    IS(my->r, 0);
    same_stat(&my->stat, my->fd);
    coop_trap(my->r, Close, .fd = my->fd);
    IS(my->r, 0);
    coop_trap(my->fd, Open, .path = "data");
    coop_trap(my->r, Read, .fd = my->fd, .buf = my->buf, .len = 7);
    IS(my->r, 7);
    coop_trap(my->r, Read, .fd = my->fd, .buf = my->buf, .len = 32);
    IS(my->r, 6);
    CU_ASSERT_NSTRING_EQUAL(my->buf, "there!", 6);
    coop_trap(coop_void, Close, .fd = my->fd);
    coop_trap(my->r, Unlink, .path = "data");
    IS(my->r, 0);
    coop_trap(my->r, Stat, .path = "data", .stat = &my->stat);
    IS(my->r, -ENOENT);
    coop_end;
}

static void life_of_a_file(void)
{
    OUTSIDE(0, a_file);
}

coop_routine(large_file, int fd; coop_value r; size_t got;)
{
    coop_begin;
    coop_trap(my->fd, Open, .path = "large", .flags = O_RDWR | O_CREAT, .mode = 0600);
    coop_trap(my->r, Write, .fd = my->fd, .buf = much, .len = MUCH);
    IS(my->r, MUCH);
    coop_trap(my->r, Pread, .fd = my->fd, .buf = come, .len = MUCH);
    IS(my->r, MUCH);
    IS(memcmp(much, come, MUCH), 0);
    memset(come, 0, MUCH);
    IS(lseek(my->fd, 0, SEEK_SET), 0);
    coop_trap(coop_void, Fsync, .fd = my->fd);
    posix_fadvise(my->fd, 0, 0, POSIX_FADV_DONTNEED);
    while (my->got < MUCH) {
        coop_trap(my->r, Read, .fd = my->fd, .buf = come + my->got, .len = 100000);
        CU_ASSERT_FATAL(my->r > 0);
        my->got += (size_t)my->r;
    }
    IS(memcmp(much, come, MUCH), 0);
    coop_trap(my->r, Pwrite, .fd = my->fd, .buf = much + 1, .len = MUCH - 1, .at = MUCH);
    IS(my->r, MUCH - 1);
    coop_trap(my->r, Pread, .fd = my->fd, .buf = come, .len = MUCH, .at = MUCH);
    IS(my->r, MUCH - 1);
    IS(memcmp(much + 1, come, MUCH - 1), 0);
    close(my->fd);
    unlink("large");
    coop_end;
}

static void large_files(void)
{
    make_much();
    OUTSIDE(0, large_file);
}

static const struct {
    const char *path;
    int kind;
} kinds[] = {
    { ".", COOP_FOLDER }, { "/dev/null", COOP_DEVICE }, { "fifo", COOP_PIPE },
    { "link", COOP_FOLDER },
};

coop_routine(stat_kinds, coop_stat stat; coop_value r; size_t i; int fds[2];)
{
    coop_begin;
    need(mkfifo("fifo", 0600) == 0 && symlink(".", "link") == 0, "mkfifo");
    for (my->i = 0; my->i < SUITE_COUNT(kinds); my->i++) {
        coop_trap(my->r, Stat, .path = kinds[my->i].path, .stat = &my->stat);
        IS(my->r, 0);
        IS(my->stat.kind, kinds[my->i].kind);
    }
    pair(my->fds);
    coop_trap(my->r, Stat, .fd = my->fds[0], .stat = &my->stat);
    IS(my->stat.kind, COOP_SOCKET);
    close_pair(my->fds);
    unlink("fifo"), unlink("link");
    coop_end;
}

static void kinds_of_files(void)
{
    OUTSIDE(0, stat_kinds);
}

/* ---- Errors ---- */

coop_routine(file_errors, int fd; coop_value r; coop_stat stat; char b[4];)
{
    coop_begin;
    coop_trap(my->r, Open, .path = "missing");
    IS(my->r, -ENOENT);
    coop_trap(my->r, Open, .flags = O_RDONLY);
    IS(my->r, -EFAULT);
    coop_trap(my->fd, Open, .path = "file", .flags = O_CREAT | O_WRONLY, .mode = 0600);
    coop_trap(my->r, Open, .path = "file", .flags = O_CREAT | O_EXCL, .mode = 0600);
    IS(my->r, -EEXIST);
    coop_trap(my->r, Open, .path = "file/below");
    IS(my->r, -ENOTDIR);
    coop_trap(my->r, Read, .fd = my->fd, .buf = my->b, .len = 4);
    IS(my->r, -EBADF);
    coop_trap(my->r, Pread, .fd = my->fd, .buf = my->b, .len = 4);
    IS(my->r, -EBADF);
    coop_trap(my->r, Pread, .fd = my->fd, .buf = my->b, .len = 4, .at = -1);
    IS(my->r, -EINVAL);
    coop_trap(my->r, Pread, .fd = my->fd, .len = 4);
    IS(my->r, -EFAULT);
    coop_trap(my->r, Pwrite, .fd = my->fd, .buf = "x", .len = 1, .at = -1);
    IS(my->r, -EINVAL);
    coop_trap(my->r, Pwrite, .fd = my->fd, .buf = much, .len = SIZE_MAX);
    IS(my->r, -EINVAL);
    coop_trap(my->r, Pwrite, .fd = my->fd, .len = 1);
    IS(my->r, -EFAULT);
    close(my->fd);
    coop_trap(my->fd, Open, .path = "file");
    coop_trap(my->r, Write, .fd = my->fd, .buf = "x", .len = 1);
    IS(my->r, -EBADF);
    coop_trap(my->r, Pwrite, .fd = my->fd, .buf = "x", .len = 1);
    IS(my->r, -EBADF);
    close(my->fd);
    coop_trap(my->fd, Open, .path = ".");
    coop_trap(my->r, Read, .fd = my->fd, .buf = my->b, .len = 4);
    IS(my->r, -EISDIR);
    close(my->fd);
    coop_trap(my->r, Fsync, .fd = -1);
    IS(my->r, -EBADF);
    coop_trap(my->r, Stat, .fd = -1, .stat = &my->stat);
    IS(my->r, -EBADF);
    coop_trap(my->r, Stat, .path = "file");
    IS(my->r, -EFAULT);
    coop_trap(my->r, Unlink, .path = ".");
    CU_ASSERT(my->r == -EISDIR || my->r == -EPERM);
    coop_trap(my->r, Unlink, .path = NULL);
    IS(my->r, -EFAULT);
    unlink("file");
    coop_end;
}

static void errors_of_files(void)
{
    OUTSIDE(0, file_errors);
}

coop_routine(any_errors, int fds[2]; coop_value r; char b[4];)
{
    coop_begin;
    memcpy(my->b, "abcd", 4);
    pipe_of(my->fds, true);
    coop_trap(my->r, Read, .fd = -1, .buf = my->b, .len = 4);
    IS(my->r, -EBADF);
    coop_trap(my->r, Read, .fd = -1, .buf = my->b, .len = 0);
    IS(my->r, -EBADF);
    coop_trap(my->r, Write, .fd = 4000, .buf = my->b, .len = 4);
    IS(my->r, -EBADF);
    coop_trap(my->r, Write, .fd = -1, .buf = my->b, .len = 0);
    IS(my->r, -EBADF);
    coop_trap(my->r, Read, .fd = my->fds[0], .len = 1);
    IS(my->r, -EFAULT);
    coop_trap(my->r, Read, .fd = my->fds[0]);
    IS(my->r, 0);
    coop_trap(my->r, Write, .fd = my->fds[1], .len = 1);
    IS(my->r, -EFAULT);
    coop_trap(my->r, Write, .fd = my->fds[1]);
    IS(my->r, 0);
    coop_trap(my->r, Write, .fd = my->fds[1], .buf = much, .len = SIZE_MAX);
    IS(my->r, -EINVAL);
    coop_trap(my->r, Write, .fd = my->fds[0], .buf = my->b, .len = 1);
    IS(my->r, -EBADF);
    coop_trap(my->r, Read, .fd = my->fds[1], .buf = my->b, .len = 1);
    IS(my->r, -EBADF);
    coop_trap(my->r, Pread, .fd = my->fds[0], .buf = my->b, .len = 1);
    IS(my->r, -ESPIPE);
    coop_trap(my->r, Pwrite, .fd = my->fds[1], .buf = my->b, .len = 1);
    IS(my->r, -ESPIPE);
    coop_trap(my->r, Fsync, .fd = my->fds[1]);
    IS(my->r, -EINVAL);
    close_pair(my->fds);
    coop_end;
}

static void errors_of_any_descriptor(void)
{
    OUTSIDE(0, any_errors);
}

coop_routine(bad_buffers, int fds[2], fd; char *bad; coop_value r;)
{
    coop_begin;
    my->bad = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    need(my->bad != MAP_FAILED, "mmap");
    pipe_of(my->fds, false);
    my->fd = open("file", O_CREAT | O_RDWR, 0600);
    coop_trap(my->r, Write, .fd = my->fds[1], .buf = my->bad, .len = 1);
    IS(my->r, -EFAULT);
    coop_trap(my->r, Write, .fd = my->fd, .buf = my->bad, .len = 1);
    IS(my->r, -EFAULT);
    IS(write(my->fds[1], "x", 1), 1);
    IS(write(my->fd, "x", 1), 1);
    coop_trap(my->r, Read, .fd = my->fds[0], .buf = my->bad, .len = 1);
    IS(my->r, -EFAULT);
    coop_trap(my->r, Pread, .fd = my->fd, .buf = my->bad, .len = 1);
    IS(my->r, -EFAULT);
    coop_trap(my->r, Open, .path = my->bad);
    IS(my->r, -EFAULT);
    close_pair(my->fds), close(my->fd);
    unlink("file");
    munmap(my->bad, 4096);
    coop_end;
}

static void rule_7_bad_buffers(void)
{
    if (!under_valgrind())
        OUTSIDE(0, bad_buffers);
}

/* SIGXFSZ would end the program; it is left as it is. */
coop_routine(too_large, int fd; coop_value r; struct rlimit before, now;)
{
    coop_begin;
    need(getrlimit(RLIMIT_FSIZE, &my->before) == 0, "getrlimit");
    my->now = my->before;
    my->now.rlim_cur = 1000;
    need(setrlimit(RLIMIT_FSIZE, &my->now) == 0, "setrlimit");
    coop_trap(my->fd, Open, .path = "file", .flags = O_CREAT | O_RDWR, .mode = 0600);
    coop_trap(my->r, Write, .fd = my->fd, .buf = much, .len = 1500);
    IS(my->r, 1000);
    coop_trap(my->r, Write, .fd = my->fd, .buf = much, .len = 500);
    IS(my->r, -EFBIG);
    coop_trap(my->r, Pwrite, .fd = my->fd, .buf = much, .len = 20, .at = 990);
    IS(my->r, 10);
    coop_trap(my->r, Pwrite, .fd = my->fd, .buf = much, .len = 20, .at = 2000);
    IS(my->r, -EFBIG);
    need(setrlimit(RLIMIT_FSIZE, &my->before) == 0, "setrlimit");
    close(my->fd);
    unlink("file");
    coop_end;
}

static void file_that_may_not_grow(void)
{
    OUTSIDE(0, too_large);
}

coop_routine(devices, int fd; coop_value r; char buf[16];)
{
    coop_begin;
    coop_trap(my->fd, Open, .path = "/dev/full", .flags = O_RDWR);
    coop_trap(my->r, Write, .fd = my->fd, .buf = "x", .len = 1);
    IS(my->r, -ENOSPC);
    coop_trap(my->r, Read, .fd = my->fd, .buf = my->buf, .len = 16);
    IS(my->r, 16);
    close(my->fd);
    coop_trap(my->fd, Open, .path = "/dev/null", .flags = O_RDWR);
    coop_trap(my->r, Write, .fd = my->fd, .buf = much, .len = MUCH);
    IS(my->r, MUCH);
    coop_trap(my->r, Read, .fd = my->fd, .buf = my->buf, .len = 16);
    IS(my->r, 0);
    close(my->fd);
    coop_trap(my->fd, Open, .path = "/proc/self/status");
    coop_trap(my->r, Read, .fd = my->fd, .buf = my->buf, .len = 16);
    IS(my->r, 16);
    CU_ASSERT_NSTRING_EQUAL(my->buf, "Name:", 5);
    close(my->fd);
    coop_end;
}

static void full_disk_and_other_devices(void)
{
    OUTSIDE(0, devices);
}

/* ---- Pipes and sockets, both kinds ---- */

coop_routine(reading, bool nonblocking; int fds[2];)
{
    coop_begin;
    pipe_of(my->fds, my->nonblocking);
    coop_spawn(reads, .name = "a", .fd = my->fds[0]);
    coop_await(coop_void, settle);
    LOG_IS("");
    IS(outside_watched(), 1);
    IS(write(my->fds[1], "hello", 5), 5);
    coop_await(coop_void, settle);
    LOG_IS("a=5");
    IS(write(my->fds[1], "more", 4), 4);
    coop_spawn(reads, .name = "b", .fd = my->fds[0]);
    coop_spawn(reads, .name = "c", .fd = my->fds[0]);
    coop_spawn(reads, .name = "d", .fd = my->fds[0]);
    coop_await(coop_void, settle);
    LOG_IS("b=4");
    close(my->fds[1]);
    coop_await(coop_void, settle);
    LOG_IS("c=0 d=0");
    IS(outside_watched(), 0);
    IS(blocks(my->fds[0]), !my->nonblocking);
    close(my->fds[0]);
    coop_end;
}

static void read_waits_for_a_pipe(void)
{
    OUTSIDE(0, reading, .nonblocking = true);
    OUTSIDE(0, reading, .nonblocking = false);
}

coop_routine(takes_all, int fd; size_t got; coop_value n;)
{
    coop_begin;
    while (my->got < MUCH) {
        coop_trap(my->n, Read, .fd = my->fd, .buf = come + my->got, .len = 10000);
        if (my->n <= 0)
            coop_return(my->n);
        my->got += (size_t)my->n;
    }
    coop_end;
}

coop_routine(writing, bool nonblocking, socket; int fds[2]; coop_tid tid; coop_value r;)
{
    coop_begin;
    if (my->socket)
        need(socketpair(AF_UNIX, SOCK_STREAM, 0, my->fds) == 0, "socketpair");
    else
        pipe_of(my->fds, my->nonblocking);
    my->tid = coop_spawn(writes, .name = "w", .fd = my->fds[1], .from = much, .len = MUCH);
    coop_await(coop_void, settle);
    CU_ASSERT_PTR_NOT_NULL(strstr(outside_call(my->tid), ", 1048576 ("));
    coop_trap(my->r, Sleep, .ns = 1);
    LOG_IS("");
    coop_await(my->r, takes_all, .fd = my->fds[0]);
    IS(my->r, 0);
    coop_await(coop_void, settle);
    LOG_IS("w=1048576");
    IS(memcmp(much, come, MUCH), 0);
    IS(blocks(my->fds[0]), !my->nonblocking);
    IS(blocks(my->fds[1]), !my->nonblocking);
    close_pair(my->fds);
    coop_end;
}

static void write_waits_for_room(void)
{
    make_much();
    OUTSIDE(0, writing, .nonblocking = true);
    make_much();
    OUTSIDE(0, writing, .nonblocking = false);
    make_much();
    OUTSIDE(0, writing, .socket = true);
}

/* On what the kernel opened itself, and of which it remembers what is used up. */
coop_routine(echo, int fd; coop_value n; char buf[64];)
{
    coop_begin;
    do {
        coop_trap(my->n, Read, .fd = my->fd, .buf = my->buf, .len = sizeof my->buf);
        if (my->n > 0)
            coop_trap(my->n, Write, .fd = my->fd, .buf = my->buf, .len = (size_t)my->n);
    } while (my->n > 0);
    coop_trap(coop_void, Close, .fd = my->fd);
    coop_return(my->n);
    coop_end;
}

coop_routine(talking, int listener, fd, other, i; char bound[64], buf[64]; coop_value n;)
{
    coop_begin;
    coop_trap(my->listener, Listen, .address = "tcp://127.0.0.1:0", .bound = my->bound,
              .bound_size = sizeof my->bound);
    coop_trap(my->fd, Connect, .address = my->bound);
    coop_trap(my->other, Accept, .fd = my->listener);
    coop_spawn(echo, .fd = my->other);
    for (my->i = 1; my->i <= 200; my->i++) {
        coop_trap(my->n, Write, .fd = my->fd, .buf = much, .len = (size_t)(my->i % 64 + 1));
        IS(my->n, my->i % 64 + 1);
        coop_trap(my->n, Read, .fd = my->fd, .buf = my->buf, .len = sizeof my->buf);
        IS(my->n, my->i % 64 + 1);
    }
    coop_spawn(writes, .name = "w", .fd = my->fd, .from = much, .len = MUCH);
    coop_await(my->n, takes_all, .fd = my->fd);
    IS(my->n, 0);
    IS(memcmp(much, come, MUCH), 0);
    coop_trap(my->n, Shutdown, .fd = my->fd);
    coop_trap(my->n, Read, .fd = my->fd, .buf = my->buf, .len = sizeof my->buf);
    IS(my->n, 0);
    LOG_IS("w=1048576");
    coop_trap(coop_void, Close, .fd = my->fd);
    coop_trap(coop_void, Close, .fd = my->listener);
    coop_end;
}

static void read_and_write_on_connections(void)
{
    make_much();
    OUTSIDE(0, talking);
}

coop_routine(ended, int fds[2], other[2]; coop_tid r, w; coop_value v;)
{
    coop_begin;
    pipe_of(my->fds, true);
    pipe_of(my->other, false);
    my->r = coop_spawn(reads, .name = "r", .fd = my->fds[0]);
    my->w = coop_spawn(writes, .name = "w", .fd = my->other[1], .from = much, .len = MUCH);
    coop_await(coop_void, settle);
    IS(outside_watched(), 2);
    coop_trap(my->v, KillTask, .tid = my->r, .wait = true);
    coop_trap(my->v, KillTask, .tid = my->w, .wait = true);
    IS(ECANCELED, 125);
    LOG_IS("r=-125 w=-125");
    IS(outside_watched(), 0);
    coop_spawn(reads, .name = "r", .fd = my->fds[0]);
    coop_spawn(writes, .name = "w", .fd = my->other[1], .from = much, .len = MUCH);
    coop_await(coop_void, settle);
    coop_trap(my->v, Close, .fd = my->fds[0]);
    coop_trap(my->v, Close, .fd = my->other[1]);
    coop_await(coop_void, settle);
    IS(EBADF, 9);
    LOG_IS("r=-9 w=-9");
    close(my->fds[1]), close(my->other[0]);
    coop_end;
}

static void rule_8_waiting_ends_by_kill_and_by_close(void)
{
    OUTSIDE(0, ended);
}

static int pipe_signals;

static void count_pipe_signal(int number)
{
    (void)number;
    pipe_signals++;
}

coop_routine(no_reader, bool nonblocking; int fds[2]; coop_value r; char full[20];)
{
    coop_begin;
    pipe_of(my->fds, my->nonblocking);
    snprintf(my->full, sizeof my->full, "w=%d", fcntl(my->fds[1], F_GETPIPE_SZ));
    coop_spawn(writes, .name = "w", .fd = my->fds[1], .from = much, .len = MUCH);
    coop_await(coop_void, settle);
    close(my->fds[0]);
    coop_await(coop_void, settle);
    LOG_IS(my->full);
    coop_trap(my->r, Write, .fd = my->fds[1], .buf = "x", .len = 1);
    IS(my->r, -EPIPE);
    close(my->fds[1]);
    coop_end;
}

static bool is_pending(int number)
{
    sigset_t pending;
    sigpending(&pending);
    return sigismember(&pending, number) == 1;
}

static void rule_15_no_SIGPIPE(void)
{
    void (*before)(int) = signal(SIGPIPE, count_pipe_signal);
    sigset_t pipe, mask;
    OUTSIDE(0, no_reader, .nonblocking = true);
    OUTSIDE(0, no_reader, .nonblocking = false);
    IS(pipe_signals, 0);
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigprocmask(SIG_BLOCK, &pipe, &mask);
    OUTSIDE(0, no_reader, .nonblocking = false);
    CU_ASSERT(!is_pending(SIGPIPE));
    raise(SIGPIPE);
    OUTSIDE(0, no_reader, .nonblocking = false);
    CU_ASSERT(is_pending(SIGPIPE));
    sigprocmask(SIG_SETMASK, &mask, NULL);
    IS(pipe_signals, 1);
    signal(SIGPIPE, before);
}

/* ---- Terminals ---- */

static int terminal(int *master, bool raw)
{
    struct termios t;
    *master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    need(*master >= 0 && grantpt(*master) == 0 && unlockpt(*master) == 0, "posix_openpt");
    int fd = open(ptsname(*master), O_RDWR | O_NOCTTY);
    need(fd >= 0 && tcgetattr(fd, &t) == 0, "open");
    t.c_lflag &= (tcflag_t)~ECHO;
    if (raw)
        cfmakeraw(&t);
    need(tcsetattr(fd, TCSANOW, &t) == 0, "tcsetattr");
    return fd;
}

/* What is typed comes when the host gets to it. */
coop_routine(typing, int master, fd; coop_tid tid;)
{
    coop_begin;
    my->fd = terminal(&my->master, false);
    coop_trap(my->tid, NewTask, .target = coop_create(reads, .name = "line", .fd = my->fd));
    coop_await(coop_void, settle);
    IS(outside_watched(), 1);
    IS(write(my->master, "hel", 3), 3);
    coop_await(coop_void, settle);
    LOG_IS("");
    IS(write(my->master, "lo\nmore\004\004", 9), 9);
    coop_trap(coop_void, WaitTask, .tid = my->tid);
    LOG_IS("line=6");
    coop_await(coop_void, reads, .name = "line", .fd = my->fd);
    coop_await(coop_void, reads, .name = "end", .fd = my->fd);
    LOG_IS("line=4 end=0");
    CU_ASSERT(blocks(my->fd));
    close(my->fd), close(my->master);
    coop_end;
}

static void read_from_a_terminal(void)
{
    OUTSIDE(0, typing);
}

/* Nobody reads what is written: the others go on; then it is read in odd pieces. */
coop_routine(printing, bool raw; char *from; size_t len, want, got; int master, fd;
             coop_value n;)
{
    coop_begin;
    my->fd = terminal(&my->master, my->raw);
    coop_spawn(writes, .name = "w", .fd = my->fd, .from = my->from, .len = my->len);
    coop_await(coop_void, settle);
    LOG_IS("");
    while (my->got < my->want) {
        coop_trap(my->n, Read, .fd = my->master, .buf = come + my->got, .len = 777);
        if (my->n <= 0)
            break;
        my->got += (size_t)my->n;
    }
    IS(my->got, my->want);
    coop_await(coop_void, settle);
    LOG_IS("w=100000");
    CU_ASSERT(blocks(my->fd));
    close(my->fd), close(my->master);
    coop_end;
}

static void write_to_a_terminal_that_is_slow(void)
{
    static char lines[100000];
    make_much();
    OUTSIDE(0, printing, .raw = true, .from = much, .len = 100000, .want = 100000);
    IS(memcmp(much, come, 100000), 0);
    memset(lines, '\n', sizeof lines);
    OUTSIDE(0, printing, .from = lines, .len = sizeof lines, .want = 2 * sizeof lines);
}

/* ---- Interrupted ---- */

static volatile sig_atomic_t interrupts;

static void interrupt(int number)
{
    (void)number;
    interrupts++;
}

static void interrupted_host_calls_are_made_again(void)
{
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
    long ns = under_valgrind() ? 10000000 : 100000;     /* that leaves time for the rest */
    struct itimerspec often = { { 0, ns }, { 0, ns } };
    struct sigaction action = { .sa_handler = interrupt }, before;
    timer_t timer;
    need(sigaction(SIGUSR1, &action, &before) == 0
         && timer_create(CLOCK_MONOTONIC, &event, &timer) == 0
         && timer_settime(timer, 0, &often, NULL) == 0, "timer");
    for (int i = 0; i < 100 && interrupts < 50; i++) {
        make_much();
        OUTSIDE(0, large_file);
        OUTSIDE(0, writing, .nonblocking = false);
        make_much();
        OUTSIDE(0, printing, .raw = true, .from = much, .len = 100000, .want = 100000);
    }
    CU_ASSERT(interrupts >= 50);
    timer_delete(timer);
    sigaction(SIGUSR1, &before, NULL);
}

/* ---- Whose job is it ---- */

static void way_of_each_kind(void)
{
    coop_machine *m = coop_unix(NULL);
    int fds[2], fd = open("file", O_CREAT | O_RDWR | O_NONBLOCK, 0600);
    IS(m->way(m, fd), COOP_BY_HELPER);
    close(fd);
    unlink("file");
    fd = open(".", O_RDONLY);
    IS(m->way(m, fd), COOP_BY_HELPER);
    close(fd);
    pipe_of(fds, false);
    IS(m->way(m, fds[0]), COOP_BY_POLL);
    close_pair(fds);
    pair(fds);
    IS(m->way(m, fds[0]), COOP_BY_TRYING);
    close_pair(fds);
    IS(m->way(m, fds[0]), -EBADF);
    m->free(m);
}

/* Open of a fifo takes until somebody opens the other end; a descriptor that comes when its
   task has been killed is not lost. */
coop_routine(opens, int fd;)
{
    coop_begin;
    my->fd = -1;
    coop_trap(my->fd, Open, .path = "fifo");
    coop_finally;
    CU_ASSERT(my->fd >= 0);
    coop_trap(coop_void, Close, .fd = my->fd);
    say("closed");
    coop_end;
}

coop_routine(killed_opening, coop_tid tid; coop_value r; int fd;)
{
    coop_begin;
    need(mkfifo("fifo", 0600) == 0, "mkfifo");
    my->tid = coop_spawn(opens);
    coop_await(coop_void, settle);
    while ((my->fd = open("fifo", O_WRONLY | O_NONBLOCK)) < 0 && errno == ENXIO)
        coop_trap(coop_void, Yield);
    coop_trap(my->r, KillTask, .tid = my->tid, .wait = true);
    IS(my->r, 0);
    LOG_IS("closed");
    close(my->fd);
    unlink("fifo");
    coop_end;
}

static void rule_10_descriptor_of_a_killed_open(void)
{
    OUTSIDE(0, killed_opening);
}

/* ---- Names ---- */

coop_routine(names, coop_address found[8]; coop_value n; int i; bool known;)
{
    coop_begin;
    coop_trap(my->n, Resolve, .name = "127.0.0.1", .addresses = my->found, .max = 8);
    IS(my->n, 1);
    CU_ASSERT_STRING_EQUAL(my->found[0].text, "127.0.0.1");
    coop_trap(my->n, Resolve, .name = "::1", .addresses = my->found, .max = 8);
    IS(my->n, 1);
    CU_ASSERT_STRING_EQUAL(my->found[0].text, "[::1]");
    coop_trap(my->n, Resolve, .name = "2001:db8:0:0::0007", .addresses = my->found,
              .max = 1);
    IS(my->n, 1);
    CU_ASSERT_STRING_EQUAL(my->found[0].text, "[2001:db8::7]");
    coop_trap(my->n, Resolve, .name = "localhost", .addresses = my->found, .max = 8);
    CU_ASSERT(my->n >= 1);
    for (my->i = 0; my->i < my->n; my->i++)
        my->known |= !strcmp(my->found[my->i].text, "127.0.0.1")
                  || !strcmp(my->found[my->i].text, "[::1]");
    CU_ASSERT(my->known);
    strcpy(my->found[1].text, "untouched");
    coop_trap(my->n, Resolve, .name = "localhost", .addresses = my->found, .max = 1);
    IS(my->n, 1);
    CU_ASSERT_STRING_EQUAL(my->found[1].text, "untouched");
    coop_trap(my->n, Resolve, .name = "no.such.name.invalid", .addresses = my->found,
              .max = 8);
    CU_ASSERT(my->n == -ENOENT || my->n == -EAGAIN);
    coop_trap(my->n, Resolve, .name = "", .addresses = my->found, .max = 8);
    IS(my->n, -ENOENT);
    coop_trap(my->n, Resolve, .addresses = my->found, .max = 8);
    IS(my->n, -EINVAL);
    coop_trap(my->n, Resolve, .name = "localhost", .max = 8);
    IS(my->n, -EINVAL);
    coop_trap(my->n, Resolve, .name = "localhost", .addresses = my->found);
    IS(my->n, -EINVAL);
    coop_end;
}

static void resolve(void)
{
    OUTSIDE(0, names);
}

/* ---- How they are shown ---- */

static void show(coop_observer *o, const coop_event *e)
{
    char line[200];
    coop_text text = { .data = line, .size = sizeof line };
    (void)o;
    if (e->system || (e->kind != COOP_RESULT && e->kind != COOP_WAKE))
        return;
    coop_call_text(e->call, &e->value, &text);
    say("%s", line);
}

coop_routine(shown, coop_observer o; int fd; char buf[8]; coop_stat stat;
             coop_address found[2];)
{
    coop_begin;
    my->o = (coop_observer){ .event = show };
    coop_trap(my->fd, Open, .path = "file", .flags = O_CREAT | O_RDWR, .mode = 0600);
    my->fd = moved(my->fd, 50);
    IS(coop_observe(&my->o), 0);
    coop_trap(coop_void, Open, .path = "no", .flags = O_WRONLY | O_CLOEXEC | O_DIRECTORY);
    coop_trap(coop_void, Open, .path = "no/no", .flags = O_RDWR | O_CREAT, .mode = 0640);
    LOG_IS("Open(\"no\", O_WRONLY|O_DIRECTORY|O_CLOEXEC) = -2 ENOENT "
           "Open(\"no/no\", O_RDWR|O_CREAT, 0640) = -2 ENOENT");
    coop_trap(coop_void, Write, .fd = 50, .buf = "hello", .len = 5);
    coop_trap(coop_void, Pwrite, .fd = 50, .buf = "y", .len = 1, .at = 4);
    coop_trap(coop_void, Pread, .fd = 50, .buf = my->buf, .len = 8, .at = 2);
    coop_trap(coop_void, Read, .fd = 50, .buf = my->buf, .len = 8);
    coop_trap(coop_void, Read, .fd = -1, .buf = my->buf, .len = 8);
    LOG_IS("Write(50, \"hello\", 5) = 5 Pwrite(50, \"y\", 1, 4) = 1 "
           "Pread(50, \"lly\", 8, 2) = 3 Read(50, \"\", 8) = 0 Read(-1, 8) = -9 EBADF");
    coop_trap(coop_void, Fsync, .fd = 50);
    coop_trap(coop_void, Fsync, .fd = -1, .data = true);
    coop_trap(coop_void, Stat, .fd = 50, .stat = &my->stat);
    coop_trap(coop_void, Stat, .path = "no", .stat = &my->stat);
    LOG_IS("Fsync(50) = 0 Fsync(-1, data) = -9 EBADF Stat(50, regular 0600 5) = 0 "
           "Stat(\"no\") = -2 ENOENT");
    coop_trap(coop_void, Unlink, .path = "file");
    coop_trap(coop_void, Unlink, .path = NULL);
    coop_trap(coop_void, Resolve, .name = "::1", .addresses = my->found, .max = 2);
    LOG_IS("Unlink(\"file\") = 0 Unlink(NULL) = -14 EFAULT Resolve(\"::1\", [::1]) = 1");
    IS(coop_unobserve(&my->o), 0);
    close(my->fd);
    coop_end;
}

static void calls_are_shown(void)
{
    OUTSIDE(0, shown);
}

static const suite_test tests[] = {
    TEST(life_of_a_file),
    TEST(large_files),
    TEST(kinds_of_files),
    TEST(errors_of_files),
    TEST(errors_of_any_descriptor),
    TEST(rule_7_bad_buffers),
    TEST(file_that_may_not_grow),
    TEST(full_disk_and_other_devices),
    TEST(read_waits_for_a_pipe),
    TEST(write_waits_for_room),
    TEST(read_and_write_on_connections),
    TEST(rule_8_waiting_ends_by_kill_and_by_close),
    TEST(rule_15_no_SIGPIPE),
    TEST(read_from_a_terminal),
    TEST(write_to_a_terminal_that_is_slow),
    TEST(interrupted_host_calls_are_made_again),
    TEST(way_of_each_kind),
    TEST(rule_10_descriptor_of_a_killed_open),
    TEST(resolve),
    TEST(calls_are_shown),
};

int main(int argc, char **argv)
{
    const char *tmp = getenv("TMPDIR");
    char folder[1000];
    snprintf(folder, sizeof folder, "%s/coop-files.XXXXXX", tmp ? tmp : "/tmp");
    need(mkdtemp(folder) && chdir(folder) == 0, "mkdtemp");
    int status = suite_main("files", tests, SUITE_COUNT(tests), argc, argv);
    need(rmdir(folder) == 0, "rmdir");
    return status;
}
