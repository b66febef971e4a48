/* coop_copy: from everything to everything. */
#include "bothends.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SIZE = 300000 };
static char data[SIZE];
static int file;                   /* data is in it */

static void make_data(void)
{
    for (size_t i = 0; i < SIZE; i++)
        data[i] = (char)(i * 31 >> 3);
}

static int empty_file(void)
{
    char name[] = "/tmp/coop-copy.XXXXXX";
    int fd = mkstemp(name);
    need(fd >= 0, "mkstemp");
    unlink(name);
    return fd;
}

static void make_file(void)
{
    make_data();
    file = empty_file();
    need(write(file, data, SIZE) == SIZE, "write");
    need(lseek(file, 5, SEEK_SET) == 5, "lseek");
}

/* Reads until the end; checks that it was this part of data. */
coop_routine(check, int fd; size_t at, len; size_t done, wrong; coop_value n;
             char buf[5000];)
{
    coop_begin;
    do {
        coop_trap(my->n, Read, .fd = my->fd, .buf = my->buf, .len = sizeof my->buf);
        for (coop_value i = 0; i < my->n; i++)
            my->wrong += my->done + (size_t)i >= my->len
                || my->buf[i] != data[my->at + my->done + (size_t)i];
        my->done += my->n > 0 ? (size_t)my->n : 0;
    } while (my->n > 0);
    IS(my->n, 0);
    IS(my->wrong, 0);
    IS(my->done, my->len);
    coop_trap(coop_void, Close, .fd = my->fd);
    coop_end;
}

static int64_t position(int fd)
{
    return lseek(fd, 0, SEEK_CUR);
}

coop_routine(from_file, bool pipe; size_t at, len, expected; int fds[2]; coop_tid tid;
             coop_value n;)
{
    coop_begin;
    if (my->pipe)
        need(pipe(my->fds) == 0, "pipe");
    else
        pair(my->fds);
    coop_trap(my->tid, NewTask, .target = coop_create(check, .fd = my->fds[0], .at = my->at,
                                                      .len = my->expected));
    coop_await(my->n, coop_copy, .from = file, .to = my->fds[1],
               .offset = (int64_t)my->at, .len = my->len);
    IS(my->n, my->expected);
    coop_trap(coop_void, Close, .fd = my->fds[1]);
    coop_trap(my->n, WaitTask, .tid = my->tid);
    IS(my->n, 0);
    IS(position(file), 5);
    coop_end;
}

static void from_a_file(void)
{
    make_file();
    for (int pipe = 0; pipe < 2; pipe++) {
        OUTSIDE(0, from_file, .pipe = pipe, .expected = SIZE);
        OUTSIDE(0, from_file, .pipe = pipe, .expected = SIZE, .len = SIZE + 1);
        OUTSIDE(0, from_file, .pipe = pipe, .expected = 1000, .len = 1000, .at = 77);
        OUTSIDE(0, from_file, .pipe = pipe, .expected = 77, .at = SIZE - 77);
        OUTSIDE(0, from_file, .pipe = pipe, .expected = 0, .at = SIZE);
    }
    close(file);
}

/* A host that cannot send files. */
static coop_value no_sendfile(coop_machine *m, int fd, int from, int64_t offset, size_t len)
{
    (void)m, (void)fd, (void)from, (void)offset, (void)len;
    return -EINVAL;
}

coop_routine(without_sendfile, coop_value n;)
{
    coop_begin;
    coop_this->machine->sendfile = no_sendfile;
    coop_await(my->n, from_file, .at = 10, .expected = SIZE - 10);
    coop_return(my->n);
    coop_end;
}

static void host_that_cannot_send_files(void)
{
    make_file();
    OUTSIDE(0, without_sendfile);
    close(file);
}

coop_routine(to_file, bool pipe; int to, fds[2]; coop_tid tid; coop_value n;)
{
    coop_begin;
    if (my->pipe)
        need(pipe(my->fds) == 0, "pipe");
    else
        pair(my->fds);
    my->to = empty_file();
    coop_trap(my->tid, NewTask,
              .target = coop_create(coop_copy, .from = my->fds[0], .to = my->to));
    coop_trap(my->n, Write, .fd = my->fds[1], .buf = data, .len = SIZE);
    IS(my->n, SIZE);
    coop_trap(coop_void, Close, .fd = my->fds[1]);
    coop_trap(my->n, WaitTask, .tid = my->tid);
    IS(my->n, SIZE);
    need(lseek(my->to, 0, SEEK_SET) == 0, "lseek");
    coop_await(coop_void, check, .fd = my->to, .len = SIZE);
    coop_trap(coop_void, Close, .fd = my->fds[0]);
    coop_end;
}

static void to_a_file(void)
{
    OUTSIDE(0, to_file);
    OUTSIDE(0, to_file, .pipe = true);
}

coop_routine(file_to_file, int to; coop_value n;)
{
    coop_begin;
    my->to = empty_file();
    coop_await(my->n, coop_copy, .from = file, .to = my->to, .offset = 100);
    IS(my->n, SIZE - 100);
    need(lseek(my->to, 0, SEEK_SET) == 0, "lseek");
    coop_await(coop_void, check, .fd = my->to, .at = 100, .len = SIZE - 100);
    coop_end;
}

static void from_file_to_file(void)
{
    make_file();
    OUTSIDE(0, file_to_file);
    close(file);
}

/* here -> there, copied to next -> last. */
coop_routine(send_all, int fd; size_t len; coop_value n;)
{
    coop_begin;
    coop_trap(my->n, Send, .fd = my->fd, .buf = data, .len = my->len);
    IS(my->n, my->len);
    coop_trap(coop_void, Shutdown, .fd = my->fd);
    coop_end;
}

coop_routine(recv_all, int fd; size_t len, done, wrong; coop_value n; char buf[3000];)
{
    coop_begin;
    do {
        coop_trap(my->n, Recv, .fd = my->fd, .buf = my->buf, .len = sizeof my->buf);
        for (coop_value i = 0; i < my->n; i++)
            my->wrong += my->buf[i] != data[my->done + (size_t)i];
        my->done += my->n > 0 ? (size_t)my->n : 0;
    } while (my->n > 0);
    IS(my->wrong, 0);
    IS(my->done, my->len);
    coop_end;
}

coop_routine(relay, int here, there, next, last; coop_tid tid; coop_value n;)
{
    coop_begin;
    coop_await(coop_void, both_ends, .here = &my->here, .there = &my->there);
    coop_await(coop_void, both_ends, .here = &my->next, .there = &my->last);
    coop_trap(coop_void, NewTask,
              .target = coop_create(send_all, .fd = my->here, .len = SIZE));
    coop_trap(my->tid, NewTask,
              .target = coop_create(recv_all, .fd = my->last, .len = SIZE));
    coop_await(my->n, coop_copy, .from = my->there, .to = my->next);
    IS(my->n, SIZE);
    coop_trap(coop_void, Close, .fd = my->next);
    coop_trap(coop_void, WaitTask, .tid = my->tid);
    coop_trap(coop_void, Close, .fd = my->here);
    coop_trap(coop_void, Close, .fd = my->there);
    coop_trap(coop_void, Close, .fd = my->last);
    coop_end;
}

static void from_socket_to_socket(void)
{
    make_data();
    ON_BOTH(0, relay);
}

coop_routine(wrong, int fds[2]; coop_value n;)
{
    coop_begin;
    pair(my->fds);
    coop_await(my->n, coop_copy, .from = my->fds[0], .to = my->fds[1], .offset = -1);
    IS(my->n, -EINVAL);
    coop_await(my->n, coop_copy, .from = 4000, .to = my->fds[1]);
    IS(my->n, -EBADF);
    coop_await(my->n, coop_copy, .from = file, .to = 4000);
    IS(my->n, -EBADF);
    coop_trap(coop_void, Close, .fd = my->fds[0]);
    coop_await(my->n, coop_copy, .from = file, .to = my->fds[1]);
    IS(my->n, -EPIPE);
    coop_trap(coop_void, Close, .fd = my->fds[1]);
    coop_end;
}

static void what_cannot_be_copied(void)
{
    make_file();
    OUTSIDE(0, wrong);
    close(file);
}

coop_routine(killed, bool send; int fds[2], in[2]; coop_tid tid; coop_value n;)
{
    coop_begin;
    pair(my->fds);
    pair(my->in);
    coop_trap(my->tid, NewTask,
              .target = coop_create(coop_copy, .from = my->send ? file : my->in[0],
                                    .to = my->fds[1]));
    if (!my->send)
        fill(my->in[1]);
    coop_await(coop_void, rest);
    coop_await(coop_void, rest);
    coop_trap(my->n, KillTask, .tid = my->tid, .wait = true);
    IS(my->n, 0);
    coop_trap(coop_void, Close, .fd = my->fds[0]);
    coop_trap(coop_void, Close, .fd = my->fds[1]);
    coop_trap(coop_void, Close, .fd = my->in[0]);
    coop_trap(coop_void, Close, .fd = my->in[1]);
    coop_end;
}

static void kill_while_nobody_takes_it(void)
{
    make_file();
    OUTSIDE(0, killed);
    OUTSIDE(0, killed, .send = true);
    close(file);
}

static const suite_test tests[] = {
    TEST(from_a_file),
    TEST(host_that_cannot_send_files),
    TEST(to_a_file),
    TEST(from_file_to_file),
    TEST(from_socket_to_socket),
    TEST(what_cannot_be_copied),
    TEST(kill_while_nobody_takes_it),
};

int main(int argc, char **argv)
{
    return world_main("copy", tests, SUITE_COUNT(tests), argc, argv, "");
}
