/* Connect, datagrams, local sockets, Shutdown, SockName, SendFile: addresses of all
   kinds. */
#include "outside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char folder[] = "/tmp/coop-connect-XXXXXX";

static char *in_folder(const char *scheme, const char *name)
{
    static char text[128];
    snprintf(text, sizeof text, "%s%s/%s", scheme, folder, name);
    return text;
}

/* Both ends of a connection through an address, and each side's name for it. */
coop_routine(meet, const char *address; int listener, client, fd; coop_value n;
             char bound[128], peer[128], name[128], buf[16];)
{
    coop_begin;
    coop_trap(my->listener, Listen, .address = my->address, .bound = my->bound,
              .bound_size = sizeof my->bound);
    if (my->listener < 0)
        coop_return(my->listener);
    coop_trap(my->client, Connect, .address = my->bound);
    CU_ASSERT(my->client >= 0);
    IS(fcntl(my->client, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    IS(fcntl(my->client, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    coop_trap(my->fd, Accept, .fd = my->listener, .peer = my->peer,
              .peer_size = sizeof my->peer);
    coop_trap(my->n, SockName, .fd = my->client, .name = my->name, .size = sizeof my->name);
    IS(my->n, 0);
    CU_ASSERT_STRING_EQUAL(my->name, my->peer);
    coop_trap(my->n, SockName, .fd = my->client, .peer = true, .name = my->name,
              .size = sizeof my->name);
    IS(my->n, 0);
    CU_ASSERT_STRING_EQUAL(my->name, strstr(my->bound, "://") + 3);
    coop_trap(my->n, Send, .fd = my->client, .buf = "hello", .len = 5);
    IS(my->n, 5);
    coop_trap(my->n, Recv, .fd = my->fd, .buf = my->buf, .len = sizeof my->buf);
    IS(my->n, 5);
    coop_trap(my->n, Shutdown, .fd = my->client);
    IS(my->n, 0);
    coop_trap(my->n, Recv, .fd = my->fd, .buf = my->buf, .len = sizeof my->buf);
    IS(my->n, 0);
    coop_trap(my->n, Send, .fd = my->fd, .buf = "bye", .len = 3);
    IS(my->n, 3);
    coop_trap(my->n, Recv, .fd = my->client, .buf = my->buf, .len = sizeof my->buf);
    IS(my->n, 3);
    coop_trap(coop_void, Close, .fd = my->fd);
    coop_trap(coop_void, Close, .fd = my->client);
    coop_trap(coop_void, Close, .fd = my->listener);
    coop_end;
}

static bool has_ipv6(void)
{
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    char all[64];
    FILE *f = fopen("/proc/sys/net/ipv6/conf/lo/disable_ipv6", "r");
    bool off = !f || !fgets(all, sizeof all, f) || all[0] == '1';
    if (f)
        fclose(f);
    if (fd >= 0)
        close(fd);
    return fd >= 0 && !off;
}

static void streams_of_every_kind(void)
{
    OUTSIDE(0, meet, .address = "tcp://127.0.0.1:0");
    if (has_ipv6())
        OUTSIDE(0, meet, .address = "tcp://[::1]:0");
    OUTSIDE(0, meet, .address = in_folder("unix://", "meet"));
    unlink(in_folder("", "meet"));
#ifdef __linux__
    OUTSIDE(0, meet, .address = local_address("coop-connect-test"));
#endif
}

/* Without a host it listens on all addresses, of both families. */
coop_routine(on_all, int listener, client, fd; char bound[64], address[64], peer[64];)
{
    coop_begin;
    coop_trap(my->listener, Listen, .address = "tcp://:0", .bound = my->bound,
              .bound_size = sizeof my->bound);
    CU_ASSERT(my->listener >= 0);
    snprintf(my->address, sizeof my->address, "tcp://127.0.0.1%s", strrchr(my->bound, ':'));
    coop_trap(my->client, Connect, .address = my->address);
    coop_trap(my->fd, Accept, .fd = my->listener, .peer = my->peer,
              .peer_size = sizeof my->peer);
    CU_ASSERT(!strncmp(my->peer, "127.0.0.1:", 10));
    close(my->client), close(my->fd);
    if (has_ipv6()) {
        snprintf(my->address, sizeof my->address, "tcp://[::1]%s", strrchr(my->bound, ':'));
        coop_trap(my->client, Connect, .address = my->address);
        coop_trap(my->fd, Accept, .fd = my->listener, .peer = my->peer,
                  .peer_size = sizeof my->peer);
        CU_ASSERT(!strncmp(my->peer, "[::1]:", 6));
        close(my->client), close(my->fd);
    }
    coop_trap(coop_void, Close, .fd = my->listener);
    coop_end;
}

static void all_addresses(void)
{
    OUTSIDE(0, on_all);
}

coop_routine(shares, int a, b, c; char bound[64];)
{
    coop_begin;
    coop_trap(my->a, Listen, .address = "tcp://127.0.0.1:0", .shared = true,
              .bound = my->bound, .bound_size = sizeof my->bound);
    coop_trap(my->b, Listen, .address = my->bound, .shared = true);
    CU_ASSERT(my->b >= 0);
    coop_trap(my->c, Listen, .address = my->bound);
    IS(my->c, -EADDRINUSE);
    coop_trap(coop_void, Close, .fd = my->a);
    coop_trap(coop_void, Close, .fd = my->b);
    coop_end;
}

static void a_shared_port(void)
{
    OUTSIDE(0, shares);
}

coop_routine(connects, const char *address; coop_value r;)
{
    coop_begin;
    coop_trap(my->r, Connect, .address = my->address);
    coop_return(my->r);
    coop_end;
}

static void refused(void)
{
    char address[64];
    int fd = listener();
    snprintf(address, sizeof address, "tcp://127.0.0.1:%d", port_of(fd));
    close(fd);
    OUTSIDE(-ECONNREFUSED, connects, .address = address);
    OUTSIDE(-ENOENT, connects, .address = in_folder("unix://", "nobody"));
    OUTSIDE(-EINVAL, connects, .address = "tcp://127.0.0.1");
    OUTSIDE(-EINVAL, connects, .address = "tcp://:80");
    OUTSIDE(-EINVAL, connects, .address = "tcp://127.0.0.1:0");
    OUTSIDE(-EINVAL, connects, .address = "udp://127.0.0.1:0");
    OUTSIDE(-EINVAL, connects, .address = "udp://[::1]:0");
    OUTSIDE(-EINVAL, connects, .address = "tcp://a.name:80");
    OUTSIDE(-EINVAL, connects, .address = "http://127.0.0.1:80");
    OUTSIDE(-EINVAL, connects, .address = "unix://");
    OUTSIDE(-EINVAL, connects);
    OUTSIDE(-ENAMETOOLONG, connects, .address = "unix:///"
            "0123456789012345678901234567890123456789012345678901234567890123456789"
            "0123456789012345678901234567890123456789");
}

coop_routine(connects_and_closes, const char *address; coop_value fd;)
{
    coop_begin;
    coop_trap(my->fd, Connect, .address = my->address);
    CU_ASSERT(my->fd == -ECANCELED || my->fd >= 0);
    coop_finally;
    if (my->fd >= 0)
        coop_trap(coop_void, Close, .fd = my->fd);
    coop_end;
}

/* A connection that does not come, since the queue is full. Who waits for it can go. */
coop_routine(in_vain, int listener; coop_tid tid; char address[64];)
{
    coop_begin;
    coop_trap(my->listener, Listen, .address = "tcp://127.0.0.1:0", .backlog = 1,
              .bound = my->address, .bound_size = sizeof my->address);
    do {
        my->tid = coop_spawn(connects_and_closes, .address = my->address);
        coop_await(coop_void, settle);
        coop_await(coop_void, settle);
    } while (!*outside_call(my->tid));
    CU_ASSERT_NSTRING_EQUAL(outside_call(my->tid), "Connect(tcp", 11);
    IS(outside_watched(), 1);
    coop_trap(coop_void, KillTask, .tid = my->tid, .wait = true);
    IS(outside_watched(), 0);
    coop_trap(coop_void, Close, .fd = my->listener);
    coop_end;
}

static void kill_while_connecting(void)
{
    OUTSIDE(0, in_vain);
}

static const char too_long[70000];

coop_routine(datagrams, const char *address; int a, b, c; coop_value n;
             char at[64], from[64], own[64], buf[16];)
{
    coop_begin;
    coop_trap(my->a, Listen, .address = my->address, .bound = my->at,
              .bound_size = sizeof my->at);
    CU_ASSERT(my->a >= 0);
    CU_ASSERT(!strncmp(my->at, "udp://", 6));
    coop_trap(my->b, Listen, .address = my->address);
    coop_trap(my->n, SockName, .fd = my->b, .name = my->own, .size = sizeof my->own);
    coop_trap(my->n, SendTo, .fd = my->b, .buf = "hello", .len = 5, .to = my->at + 6);
    IS(my->n, 5);
    coop_trap(my->n, SendTo, .fd = my->b, .len = 0, .to = my->at + 6);
    IS(my->n, 0);
    coop_trap(my->n, RecvFrom, .fd = my->a, .buf = my->buf, .len = sizeof my->buf,
              .from = my->from, .from_size = sizeof my->from);
    IS(my->n, 5);
    CU_ASSERT_STRING_EQUAL(my->from, my->own);
    coop_trap(my->n, RecvFrom, .fd = my->a, .buf = my->buf, .len = sizeof my->buf);
    IS(my->n, 0);
    coop_trap(my->c, Connect, .address = my->at);
    coop_trap(my->n, Send, .fd = my->c, .buf = "0123456789abcdefgh", .len = 18);
    IS(my->n, 18);
    coop_trap(my->n, RecvFrom, .fd = my->a, .buf = my->buf, .len = 4, .from = my->from,
              .from_size = sizeof my->from);
    IS(my->n, 4);
    coop_trap(my->n, SendTo, .fd = my->a, .buf = "answer", .len = 6, .to = my->from);
    coop_trap(my->n, Recv, .fd = my->c, .buf = my->buf, .len = sizeof my->buf);
    IS(my->n, 6);
    coop_trap(my->n, SendTo, .fd = my->a, .buf = "x", .len = 1, .to = "localhost:1");
    IS(my->n, -EINVAL);
    coop_trap(my->n, SendTo, .fd = my->a, .buf = "x", .len = 1);
    IS(my->n, -EINVAL);
    coop_trap(my->n, SendTo, .fd = my->a, .buf = too_long, .len = sizeof too_long,
              .to = my->from);
    IS(my->n, -EMSGSIZE);
    close(my->b), close(my->c);
    coop_trap(coop_void, Close, .fd = my->a);
    coop_end;
}

static void datagrams_there_and_back(void)
{
    OUTSIDE(0, datagrams, .address = "udp://127.0.0.1:0");
    if (has_ipv6())
        OUTSIDE(0, datagrams, .address = "udp://[::1]:0");
}

/* Each comes at once, though it fills no buffer. */
coop_routine(connected_datagrams, int a, b, i; coop_value n; char at[64], own[64], buf[64];)
{
    coop_begin;
    coop_spawn(waiter, .name = "none", .kind = RECV, .fd = -1);     /* the poller begins */
    coop_trap(coop_void, Sleep, .ns = 1);
    LOG_IS("none=-9");
    coop_trap(my->a, Listen, .address = "udp://127.0.0.1:0", .bound = my->at,
              .bound_size = sizeof my->at);
    coop_trap(my->b, Connect, .address = my->at);
    coop_trap(my->n, SockName, .fd = my->b, .name = my->own, .size = sizeof my->own);
    for (my->i = 0; my->i < 4; my->i++)
        coop_trap(my->n, SendTo, .fd = my->a, .buf = "four", .len = 4, .to = my->own);
    for (my->i = 0; my->i < 4; my->i++)
        coop_spawn(waiter, .name = "d", .kind = RECV, .fd = my->b);
    coop_await(coop_void, settle);
    LOG_IS("d=4 d=4 d=4 d=4");
    coop_trap(coop_void, Close, .fd = my->a);
    coop_trap(coop_void, Close, .fd = my->b);
    coop_end;
}

static void datagrams_of_a_connection(void)
{
    OUTSIDE(0, connected_datagrams);
}

/* Local sockets of this kind have borders; the host's listener does not say so. */
static int message_listener(struct sockaddr_un *at)
{
    *at = (struct sockaddr_un){ .sun_family = AF_UNIX };
    snprintf(at->sun_path, sizeof at->sun_path, "%s/messages", folder);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    need(fd < 0 || (bind(fd, (struct sockaddr *)at, sizeof *at) == 0 && listen(fd, 4) == 0),
         "listen");
    return fd;
}

coop_routine(takes_messages, int fd, i; coop_value n; char buf[16];)
{
    coop_begin;
    for (; my->i > 0; my->i--) {
        coop_trap(my->n, Recv, .fd = my->fd, .buf = my->buf, .len = sizeof my->buf);
        say("%d", (int)my->n);
    }
    coop_end;
}

/* Each comes at once, though it fills no buffer. */
coop_routine(messages, int listener, client, fd, i; struct sockaddr_un at;)
{
    coop_begin;
    coop_spawn(waiter, .name = "none", .kind = RECV, .fd = -1);     /* the poller begins */
    coop_trap(coop_void, Sleep, .ns = 1);
    LOG_IS("none=-9");
    my->listener = message_listener(&my->at);
    if (my->listener < 0)
        coop_return(0);
    my->client = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    need(connect(my->client, (struct sockaddr *)&my->at, sizeof my->at) == 0, "connect");
    coop_trap(my->fd, Accept, .fd = my->listener);
    coop_spawn(takes_messages, .fd = my->fd, .i = 5);
    coop_await(coop_void, settle);
    LOG_IS("");
    for (my->i = 1; my->i <= 4; my->i++)
        IS(send(my->client, "four", (size_t)my->i, 0), my->i);
    coop_await(coop_void, settle);
    coop_await(coop_void, settle);
    LOG_IS("1 2 3 4");
    IS(send(my->client, "five", 4, 0), 4);
    coop_await(coop_void, settle);
    LOG_IS("4");
    coop_trap(coop_void, Close, .fd = my->fd);
    close(my->client);
    coop_trap(coop_void, Close, .fd = my->listener);
    unlink(my->at.sun_path);
    coop_end;
}

static void messages_of_a_connection(void)
{
    ON_ALL(0, messages);
}

coop_routine(receives, int fd; coop_value n; char buf[16], from[64];)
{
    coop_begin;
    coop_trap(my->n, RecvFrom, .fd = my->fd, .buf = my->buf, .len = sizeof my->buf,
              .from = my->from, .from_size = sizeof my->from);
    say("%d", (int)my->n);
    coop_end;
}

coop_routine(awaited_datagrams, int fd; coop_value n; coop_tid tid; char at[64];)
{
    coop_begin;
    coop_trap(my->fd, Listen, .address = "udp://127.0.0.1:0", .bound = my->at,
              .bound_size = sizeof my->at);
    coop_spawn(receives, .fd = my->fd);
    coop_spawn(receives, .fd = my->fd);
    my->tid = coop_spawn(receives, .fd = my->fd);
    coop_await(coop_void, settle);
    coop_trap(my->n, SendTo, .fd = my->fd, .buf = "one", .len = 3, .to = my->at + 6);
    coop_trap(my->n, SendTo, .fd = my->fd, .buf = "four", .len = 4, .to = my->at + 6);
    coop_await(coop_void, settle);
    LOG_IS("3 4");
    coop_trap(coop_void, KillTask, .tid = my->tid, .wait = true);
    coop_spawn(receives, .fd = my->fd);
    coop_await(coop_void, settle);
    coop_trap(coop_void, Close, .fd = my->fd);
    coop_await(coop_void, settle);
    LOG_IS("-9");
    coop_end;
}

static void datagrams_are_waited_for(void)
{
    OUTSIDE(0, awaited_datagrams);
}

enum { LARGE = 3 * 1000 * 1000 };

coop_routine(sends_file, int fd, file; coop_value n;)
{
    coop_begin;
    coop_trap(my->n, SendFile, .fd = my->fd, .file = my->file, .offset = 1, .len = LARGE);
    coop_trap(coop_void, Close, .fd = my->fd);
    coop_return(my->n);
    coop_end;
}

/* More than there is room for, and more than there is. The socket is made non-blocking. */
coop_routine(file_by_socket, bool blocks; int fds[2], file; size_t got; coop_value n, tid;
             char buf[65536];)
{
    coop_begin;
    pair(my->fds);
    need(!my->blocks || fcntl(my->fds[0], F_SETFL, 0) == 0, "fcntl");
    my->file = open(in_folder("", "file"), O_RDWR | O_CREAT | O_TRUNC, 0600);
    memset(my->buf, 'x', sizeof my->buf);
    need(my->file >= 0 && ftruncate(my->file, LARGE) == 0, "file");
    IS(pwrite(my->file, "abc", 3, LARGE - 3), 3);
    coop_trap(my->tid, NewTask, .target = coop_create(sends_file, .fd = my->fds[0],
                                                      .file = my->file));
    do {
        coop_trap(my->n, Recv, .fd = my->fds[1], .buf = my->buf, .len = sizeof my->buf);
        my->got += (size_t)my->n;
        if (my->got == LARGE - 1 && my->n >= 3)
            CU_ASSERT(!memcmp(my->buf + my->n - 3, "abc", 3));
    } while (my->n > 0);
    IS(my->got, LARGE - 1);
    coop_trap(my->n, WaitTask, .tid = my->tid);
    IS(my->n, LARGE - 1);
    coop_trap(my->n, SendFile, .fd = my->fds[1], .file = my->file, .offset = -1, .len = 1);
    IS(my->n, -EINVAL);
    coop_trap(my->n, SendFile, .fd = my->fds[1], .file = -1, .len = 1);
    IS(my->n, -EBADF);
    coop_trap(my->n, SendFile, .fd = my->fds[1], .file = my->file, .len = 1);
    IS(my->n, -EPIPE);
    close(my->fds[1]);
    close(my->file);
    unlink(in_folder("", "file"));
    coop_end;
}

static void files_to_sockets(void)
{
    OUTSIDE(0, file_by_socket);
    OUTSIDE(0, file_by_socket, .blocks = true);
}

coop_routine(shuts, int fds[2]; coop_value r;)
{
    coop_begin;
    pair(my->fds);
    coop_spawn(waiter, .name = "r", .kind = RECV, .fd = my->fds[0]);
    coop_await(coop_void, settle);
    coop_trap(my->r, Shutdown, .fd = my->fds[0], .how = COOP_RECV);
    IS(my->r, 0);
    coop_await(coop_void, settle);
    LOG_IS("r=0");
    coop_trap(my->r, Shutdown, .fd = my->fds[0], .how = COOP_BOTH);
    IS(my->r, 0);
    coop_trap(my->r, Send, .fd = my->fds[0], .buf = "x", .len = 1);
    IS(my->r, -EPIPE);
    coop_trap(my->r, Shutdown, .fd = my->fds[0], .how = 3);
    IS(my->r, -EINVAL);
    coop_trap(my->r, Shutdown, .fd = 0, .how = COOP_SEND);
    IS(my->r, -ENOTSOCK);
    coop_trap(my->r, Shutdown, .fd = -1);
    IS(my->r, -EBADF);
    coop_trap(my->r, SockName, .fd = my->fds[0]);
    IS(my->r, -EINVAL);
    close_pair(my->fds);
    coop_end;
}

static void directions_end(void)
{
    OUTSIDE(0, shuts);
}

coop_routine(times, int64_t at; coop_value a, b, r; unsigned char one[64], two[64];)
{
    coop_begin;
    coop_trap(my->a, Now);
    coop_trap(my->b, Now, .at = &my->at);
    CU_ASSERT(my->b >= my->a);
    CU_ASSERT(sizeof my->b < 8 || my->at == my->b);
    coop_trap(my->a, Now, .wall = true, .at = &my->at);
    CU_ASSERT(my->at > COOP_S(1700000000));
    coop_trap(my->r, Random, .buf = my->one, .len = sizeof my->one);
    IS(my->r, sizeof my->one);
    coop_trap(my->r, Random, .buf = my->two, .len = sizeof my->two);
    CU_ASSERT(memcmp(my->one, my->two, sizeof my->one));
    coop_trap(my->r, Random, .len = 1);
    IS(my->r, -EFAULT);
    coop_trap(my->r, Random);
    IS(my->r, 0);
    coop_end;
}

static void time_and_chance(void)
{
    OUTSIDE(0, times);
}

static const suite_test tests[] = {
    TEST(streams_of_every_kind),
    TEST(all_addresses),
    TEST(a_shared_port),
    TEST(refused),
    TEST(kill_while_connecting),
    TEST(datagrams_there_and_back),
    TEST(datagrams_of_a_connection),
    TEST(messages_of_a_connection),
    TEST(datagrams_are_waited_for),
    TEST(files_to_sockets),
    TEST(directions_end),
    TEST(time_and_chance),
};

int main(int argc, char **argv)
{
    need(mkdtemp(folder), "mkdtemp");
    int r = world_main("connect", tests, SUITE_COUNT(tests), argc, argv, "");
    rmdir(folder);
    return r;
}
