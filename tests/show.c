#include "config.h"
#include "show.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct show show;

void show_begin(void)
{
    memset(&show, 0, sizeof show);
    memset(show.group, NOBODY, sizeof show.group);
}

enum group show_group(coop_tid tid)
{
    return tid < (coop_tid)sizeof show.group ? show.group[tid] : NOBODY;
}

static void belong(enum group group)
{
    coop_tid self = coop_self();
    need(self < (coop_tid)sizeof show.group, "too many tasks");
    show.group[self] = (signed char)group;
}

static void came_out(coop_value r)
{
    enum group group = show_group(coop_self());
    if (group == NOBODY)
        show.strangers += r < 0;
    else if (r < 0)
        show.ill[group]++;
    else
        show.well[group]++;
}

/* ---- Servers and clients; they leave with r, and what Close says if that was well ---- */

enum { SIZE = 40 };

coop_routine(guest, int fd; coop_value r, n, closed; char buf[16];)
{
    coop_begin;
    belong(NOBODY);
    do {
        coop_trap(my->r, Recv, .fd = my->fd, .buf = my->buf, .len = sizeof my->buf);
        if (my->r > 0) {
            belong(my->buf[0] - '0');
            my->n = my->r;
            coop_trap(my->r, Send, .fd = my->fd, .buf = my->buf, .len = (size_t)my->n);
            if (my->r >= 0 && my->r < my->n)
                my->r = -EIO;
        }
    } while (my->r > 0);
    coop_finally;
    coop_trap(my->closed, Close, .fd = my->fd);
    came_out(my->r < 0 ? my->r : my->closed);
    coop_end;
}

coop_routine(server, coop_value r;)
{
    coop_begin;
    belong(SERVER);
    do {
        coop_trap(my->r, Accept, .fd = show.listener);
        if (my->r >= 0)
            coop_spawn(guest, .fd = (int)my->r);
    } while (my->r != -EBADF);
    came_out(0);
    coop_end;
}

coop_routine(client, int number, fd; coop_value r, closed; size_t got; char buf[SIZE];)
{
    coop_begin;
    belong(my->number);
    coop_trap(my->fd, Connect, .address = show.at);
    my->r = my->fd;
    if (my->r < 0)
        break;
    memset(my->buf, '0' + my->number, SIZE);
    coop_trap(my->r, Send, .fd = my->fd, .buf = my->buf, .len = SIZE);
    if (my->r >= 0 && my->r < SIZE)
        my->r = -EIO;
    memset(my->buf, 0, SIZE);
    while (my->r > 0 && my->got < SIZE) {
        coop_trap(my->r, Recv, .fd = my->fd, .buf = my->buf + my->got,
                  .len = SIZE - my->got);
        if (my->r == 0)
            my->r = -ENODATA;
        my->got += my->r > 0 ? (size_t)my->r : 0;
    }
    if (my->r < 0)
        break;
    IS(my->buf[SIZE - 1], '0' + my->number);
    coop_trap(my->r, Shutdown, .fd = my->fd);
    if (my->r < 0)
        break;
    coop_trap(my->r, Recv, .fd = my->fd, .buf = my->buf, .len = SIZE);
    coop_finally;
    if (my->fd >= 0)
        coop_trap(my->closed, Close, .fd = my->fd);
    came_out(my->r < 0 ? my->r : my->closed);
    coop_end;
}

/* The same with the library. */
coop_routine(stream_guest, int fd; coop_stream *s; coop_value r, closed; char *line;)
{
    coop_begin;
    belong(NOBODY);
    my->s = coop_stream_open(my->fd, 100);
    for (;;) {
        coop_await(my->r, coop_read_line, .stream = my->s, .line = &my->line);
        if (my->r <= 0)
            break;
        belong(my->line[0] - '0');
        my->r = coop_stream_print(my->s, "%s\n", my->line);
        if (my->r < 0)
            break;
    }
    coop_finally;
    coop_await(my->closed, coop_stream_close, .stream = my->s, .fd = my->fd);
    came_out(my->r < 0 ? my->r : my->closed);
    coop_end;
}

static coop_coroutine *let_in(int fd, const char *peer, void *arg)
{
    (void)peer, (void)arg;
    return coop_create(stream_guest, .fd = fd);
}

coop_routine(stream_server, coop_value r;)
{
    coop_begin;
    belong(SERVER);
    coop_await(my->r, coop_serve, .fd = show.listener, .client = let_in, .grace = -1);
    came_out(my->r);
    coop_end;
}

coop_routine(stream_client, int number, fd; coop_stream *s; coop_value r, closed; int i;
             char *line;)
{
    coop_begin;
    belong(my->number);
    coop_await(my->fd, coop_dial, .address = show.at, .timeout = COOP_S(20));
    my->r = my->fd;
    if (my->r < 0)
        break;
    my->s = coop_stream_open(my->fd, 100);
    for (my->i = 0; my->i < 2 && my->r >= 0; my->i++) {
        my->r = coop_stream_print(my->s, "%d hello\n", my->number);
        if (my->r >= 0)
            coop_await(my->r, coop_read_line, .stream = my->s, .line = &my->line);
        if (my->r == 0)
            my->r = -ENODATA;
    }
    coop_finally;
    if (my->fd >= 0)
        coop_await(my->closed, coop_stream_close, .stream = my->s, .fd = my->fd);
    came_out(my->r < 0 ? my->r : my->closed);
    coop_end;
}

/* ---- All that is on the host alone ---- */

static const char data[] = "some data\n";
enum { LENGTH = sizeof data - 1 };

coop_routine(files, int fd, ends[2]; coop_value r, closed; coop_stat stat; char buf[32];)
{
    coop_begin;
    belong(FILES);
    coop_trap(my->fd, Open, .path = "file", .flags = O_RDWR | O_CREAT, .mode = 0600);
    my->r = my->fd;
    if (my->r < 0)
        break;
    coop_trap(my->r, Write, .fd = my->fd, .buf = data, .len = LENGTH);
    if (my->r < 0)
        break;
    coop_trap(my->r, Pwrite, .fd = my->fd, .buf = data, .len = LENGTH, .at = LENGTH);
    if (my->r < 0)
        break;
    IS(my->r, LENGTH);
    coop_trap(my->r, Fsync, .fd = my->fd);
    if (my->r < 0)
        break;
    coop_trap(my->r, Pread, .fd = my->fd, .buf = my->buf, .len = 32, .at = LENGTH);
    if (my->r < 0)
        break;
    IS(my->r, LENGTH);
    coop_trap(my->r, Read, .fd = my->fd, .buf = my->buf, .len = 32);
    if (my->r < 0)
        break;
    coop_trap(my->r, Stat, .path = "file", .stat = &my->stat);
    if (my->r < 0)
        break;
    IS(my->stat.size, 2 * LENGTH);
    pair(my->ends);
    coop_trap(my->r, SendFile, .fd = my->ends[0], .file = my->fd, .len = LENGTH);
    close(my->ends[0]);
    close(my->ends[1]);
    if (my->r < 0)
        break;
    coop_trap(my->r, Unlink, .path = "file");
    coop_finally;
    unlink("file");
    if (my->fd >= 0)
        coop_trap(my->closed, Close, .fd = my->fd);
    came_out(my->r < 0 ? my->r : my->closed);
    coop_end;
}

coop_routine(names, coop_value r; coop_address found[2]; int key; char text[64];)
{
    coop_begin;
    belong(NAMES);
    coop_trap(my->r, Resolve, .name = "127.0.0.1", .addresses = my->found, .max = 2);
    if (my->r < 0)
        break;
    coop_trap(my->r, Random, .buf = &my->key, .len = sizeof my->key);
    if (my->r < 0)
        break;
    coop_trap(coop_void, Now);
    coop_finally;
    came_out(my->r);
    coop_end;
}

coop_routine(datagrams, int fd; coop_value r, closed; char at[64], buf[8];)
{
    coop_begin;
    belong(DATAGRAMS);
    coop_trap(my->fd, Listen, .address = "udp://127.0.0.1:0");
    my->r = my->fd;
    if (my->r < 0)
        break;
    coop_trap(my->r, SockName, .fd = my->fd, .name = my->at, .size = sizeof my->at);
    if (my->r < 0)
        break;
    coop_trap(my->r, SendTo, .fd = my->fd, .buf = "hi", .len = 2, .to = my->at);
    if (my->r < 0)
        break;
    coop_trap(my->r, RecvFrom, .fd = my->fd, .buf = my->buf, .len = 8);
    if (my->r < 0)
        break;
    coop_trap(my->r, WriteWait, .fd = my->fd);
    coop_finally;
    if (my->fd >= 0)
        coop_trap(my->closed, Close, .fd = my->fd);
    came_out(my->r < 0 ? my->r : my->closed);
    coop_end;
}

/* A wait that failed is made once more: the child is there. */
coop_routine(child, int pipes[3], pid; coop_value r, killed, waited, closed; char buf[8];)
{
    static const char *const argv[] = { "true", NULL };
    coop_begin;
    belong(CHILD);
    my->pipes[1] = -1;
    coop_trap(my->pid, Spawn, .argv = argv, .out = COOP_PIPED, .pipes = my->pipes);
    my->r = my->pid;
    if (my->r < 0)
        break;
    coop_trap(my->killed, ChildKill, .pid = my->pid, .signal = SIGCONT);
    do
        coop_trap(my->r, Read, .fd = my->pipes[1], .buf = my->buf, .len = 8);
    while (my->r > 0);
    if (my->r == 0)
        my->r = my->killed;
    coop_trap(my->waited, ChildWait, .pid = my->pid);
    if (my->waited < 0) {
        my->r = my->waited;
        coop_trap(my->waited, ChildWait, .pid = my->pid);
    }
    IS(my->waited, 0);
    coop_finally;
    if (my->pipes[1] >= 0)
        coop_trap(my->closed, Close, .fd = my->pipes[1]);
    came_out(my->r < 0 ? my->r : my->closed);
    coop_end;
}

/* As soon as somebody waits for it, if ever. */
coop_routine(raiser, coop_tid tid; coop_info info;)
{
    coop_begin;
    while (coop_inspect(my->tid, &my->info) == 0 && !show.signalled) {
        if (my->info.state == COOP_WAITING) {
            show.signalled = true;
            raise(SIGUSR1);
        }
        coop_trap(coop_void, Yield);
    }
    coop_end;
}

coop_routine(signals, coop_value r;)
{
    coop_begin;
    belong(SIGNALS);
    coop_spawn(raiser, .tid = coop_self());
    coop_trap(my->r, SignalWait, .signals = COOP_SIGNAL(SIGUSR1));
    CU_ASSERT(my->r < 0 || my->r == SIGUSR1);
    came_out(my->r);
    coop_end;
}

coop_routine(sleeper, int i; coop_value r;)
{
    coop_begin;
    belong(SLEEPER);
    for (my->i = 0; my->i < 3; my->i++)
        coop_trap(my->r, Sleep, .ns = 1000);
    came_out(my->r);
    coop_end;
}

/* ---- The session ---- */
/* coop_serve closes it when it fails; the number may be another one's by then. */
static bool listens(int fd)
{
    int yes = 0;
    socklen_t size = sizeof yes;
    return !strcmp(coop_this->machine->name, "sim")
        || (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &size) == 0 && yes);
}

coop_define(session)
{
    coop_begin;
    show.listener = -1;
    if (my->with & LIBRARY)
        coop_await(show.listener, coop_listen, .address = "tcp://127.0.0.1:0",
                   .bound = show.at, .bound_size = sizeof show.at);
    else if (my->with & SOCKETS)
        coop_trap(show.listener, Listen, .address = "tcp://127.0.0.1:0", .bound = show.at,
                  .bound_size = sizeof show.at);
    if (my->with & HOST) {
        my->others[0] = coop_spawn(files);
        my->others[1] = coop_spawn(names);
        my->others[2] = coop_spawn(datagrams);
        my->others[3] = coop_spawn(child);
        my->others[4] = coop_spawn(signals);
        my->others[5] = coop_spawn(sleeper);
    }
    if (show.listener >= 0) {
        my->server = my->with & LIBRARY ? coop_spawn(stream_server) : coop_spawn(server);
        for (my->i = 0; my->i < PAIRS; my->i++)
            my->clients[my->i] = my->with & LIBRARY
                ? coop_spawn(stream_client, .number = my->i)
                : coop_spawn(client, .number = my->i);
        for (my->i = 0; my->i < PAIRS; my->i++)
            coop_trap(coop_void, WaitTask, .tid = my->clients[my->i]);
        my->closed = true;
        if (listens(show.listener))
            coop_trap(coop_void, Close, .fd = show.listener);
        coop_trap(coop_void, WaitTask, .tid = my->server);
    }
    for (my->i = 0; my->i < 6; my->i++)
        if (my->others[my->i])
            coop_trap(coop_void, WaitTask, .tid = my->others[my->i]);
    coop_finally;
    if (show.listener >= 0 && !my->closed)
        coop_trap(coop_void, Close, .fd = show.listener);
    coop_end;
}
