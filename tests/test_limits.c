/* What cannot be done, or only so far: bad arguments, descriptors that are none of the
   right kind, files, limits of the host; and signals meanwhile. */
#include "outside.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- Bad arguments */

static const int bad_fds[] = { -1, INT_MIN, 4000, INT_MAX / 2, INT_MAX - 1, INT_MAX };

coop_routine(bad_descriptors, int fds[2]; size_t i; int kind; coop_value r; char buf[8];)
{
    coop_begin;
    pair(my->fds);
    coop_spawn(waiter, .name = "other", .kind = RECV, .fd = my->fds[0]);
    for (my->i = 0; my->i < sizeof bad_fds / sizeof *bad_fds; my->i++)
        for (my->kind = 0; my->kind < KINDS; my->kind++) {
            coop_await(my->r, attempt, .kind = my->kind, .fd = bad_fds[my->i],
                       .buf = my->buf, .len = sizeof my->buf);
            IS(my->r, -EBADF);
        }
    LOG_IS("");
    IS(write(my->fds[1], "x", 1), 1);
    coop_await(coop_void, settle);
    LOG_IS("other=1");
    NO_REPORTS();
    close_pair(my->fds);
    coop_end;
}

static void bad_descriptors_are_EBADF(void)
{
    OUTSIDE(0, bad_descriptors);
}

coop_routine(wrong_kind, int fds[2], udp; coop_value r; char buf[8];)
{
    coop_begin;
    need(pipe(my->fds) == 0, "pipe");
    coop_await(my->r, attempt, .kind = RECV, .fd = my->fds[0], .buf = my->buf, .len = 8);
    IS(my->r, -ENOTSOCK);
    coop_await(my->r, attempt, .kind = SEND, .fd = my->fds[1], .buf = my->buf, .len = 8);
    IS(my->r, -ENOTSOCK);
    coop_await(my->r, attempt, .kind = ACCEPT, .fd = my->fds[0]);
    IS(my->r, -ENOTSOCK);
    IS(fcntl(my->fds[0], F_GETFL) & O_NONBLOCK, 0);
    close_pair(my->fds);
    my->udp = socket(AF_INET, SOCK_DGRAM, 0);
    coop_await(my->r, attempt, .kind = ACCEPT, .fd = my->udp);
    IS(my->r, -EOPNOTSUPP);
    close(my->udp);
    my->fds[0] = connection(&my->fds[1]);
    coop_await(my->r, attempt, .kind = ACCEPT, .fd = my->fds[0]);
    IS(my->r, -EINVAL);
    close_pair(my->fds);
    coop_end;
}

static void wrong_kinds_of_descriptors(void)
{
    OUTSIDE(0, wrong_kind);
}

coop_routine(bad_buffers, int fds[2]; void *nowhere; coop_value r; char buf[64];)
{
    coop_begin;
    pair(my->fds);
    my->nowhere = mmap(NULL, 1, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    need(my->nowhere != MAP_FAILED, "mmap");
    coop_await(my->r, attempt, .kind = RECV, .fd = my->fds[0], .buf = NULL, .len = 1);
    IS(my->r, -EFAULT);
    coop_await(my->r, attempt, .kind = SEND, .fd = my->fds[0], .buf = NULL, .len = 1);
    IS(my->r, -EFAULT);
    coop_await(my->r, attempt, .kind = SEND, .fd = my->fds[0], .buf = my->nowhere,
               .len = 1);
    IS(my->r, -EFAULT);
    coop_await(my->r, attempt, .kind = SEND, .fd = my->fds[0], .buf = my->buf,
               .len = SIZE_MAX);
    IS(my->r, -EINVAL);
    IS(write(my->fds[1], "x", 1), 1);
    coop_await(my->r, attempt, .kind = RECV, .fd = my->fds[0], .buf = my->nowhere,
               .len = 1);
    IS(my->r, -EFAULT);
    munmap(my->nowhere, 1);
    close_pair(my->fds);
    coop_end;
}

static void bad_buffers_are_EFAULT(void)
{
    if (!under_valgrind())
        OUTSIDE(0, bad_buffers);
}

/* ---- Files and limits */

coop_routine(files, int fd; int kind; coop_value r; char byte;)
{
    coop_begin;
    for (my->kind = READ_WAIT; my->kind <= WRITE_WAIT; my->kind++) {
        coop_await(my->r, attempt, .kind = my->kind, .fd = my->fd);
        IS(my->r, 0);
    }
    coop_end;
}

static void rule_14_regular_files_are_always_ready(void)
{
    FILE *empty = tmpfile();
    int null = open("/dev/null", O_RDWR);
    need(empty && null >= 0, "tmpfile");
    OUTSIDE(0, files, .fd = fileno(empty));
    OUTSIDE(0, files, .fd = null);
    close(null);
    fclose(empty);
}

coop_routine(large_descriptors, int fds[2], l; int kind; coop_value r; char buf[8];)
{
    coop_begin;
    pair(my->fds);
    my->fds[0] = moved(my->fds[0], FD_SETSIZE - 1);
    coop_spawn(waiter, .name = "last", .kind = RECV, .fd = my->fds[0]);
    coop_await(coop_void, settle);
    IS(write(my->fds[1], "xy", 2), 2);
    coop_await(coop_void, settle);
    LOG_IS("last=2");
    my->fds[0] = moved(my->fds[0], FD_SETSIZE);
    IS(write(my->fds[1], "x", 1), 1);
    coop_await(my->r, attempt, .kind = RECV, .fd = my->fds[0], .buf = my->buf, .len = 8);
    IS(my->r, 1);
    coop_await(my->r, attempt, .kind = SEND, .fd = my->fds[0], .buf = my->buf, .len = 8);
    IS(my->r, 8);
    NO_REPORTS();
    fill(my->fds[0]);
    for (my->kind = READ_WAIT; my->kind <= SEND; my->kind++) {
        coop_await(my->r, attempt, .kind = my->kind, .fd = my->fds[0], .buf = my->buf,
                   .len = 8);
        IS(my->r, -EMFILE);
    }
    IS(world.reported, 1);
    REPORTED("descriptor 1024 is past what the poller can watch: use another one "
             "(COOP_POLLER=auto or epoll)");
    my->l = moved(listener(), FD_SETSIZE + 1);
    coop_await(my->r, attempt, .kind = ACCEPT, .fd = my->l);
    IS(my->r, -EMFILE);
    IS(outside_watched(), 0);
    close(my->l);
    close_pair(my->fds);
    coop_end;
}

static void F11_rule_14_descriptors_past_FD_SETSIZE(void)
{
    IS(FD_SETSIZE, 1024);
    if (!may_open(FD_SETSIZE + 8))
        return;
    outside_open_with((coop_options){ .poller = "select" });
    IS(coop_main(large_descriptors), 0);
    outside_close();
}

coop_routine(too_many, int listener, client, fd; coop_value r;)
{
    coop_begin;
    my->listener = listener();
    coop_spawn(waiter, .name = "waiting", .kind = ACCEPT, .fd = my->listener);
    coop_await(coop_void, settle);
    my->client = connect_to(my->listener);
    allow_no_more_descriptors();
    coop_await(coop_void, settle);
    LOG_IS("waiting=-24");
    coop_trap(my->fd, Accept, .fd = my->listener);
    IS(my->fd, -EMFILE);
    coop_trap(my->r, Listen, .address = "tcp://127.0.0.1:0");
    IS(my->r, -EMFILE);
    allow_descriptors_again();
    coop_trap(my->fd, Accept, .fd = my->listener);
    CU_ASSERT(my->fd >= 0);
    close(my->fd);
    close(my->client);
    close(my->listener);
    coop_end;
}

static void EMFILE_at_accept_and_after(void)
{
    IS(EMFILE, 24);
    if (!under_valgrind())
        OUTSIDE(0, too_many);
}

/* ---- Signals, and a poll that fails */

enum { SIGNALS = 200 };
static int signals, told;          /* told: the end of a pipe */

static void count_signal(int number)
{
    (void)number;
    signals += write(told, "", 1) == 1;
}

/* Sends this process a signal as soon as the last one was handled, and at last a byte. */
static pid_t storm(int to)
{
    int tell[2];
    char byte;
    need(pipe(tell) == 0, "pipe");
    told = tell[1];
    pid_t child = fork();
    need(child >= 0, "fork");
    close(child ? tell[0] : tell[1]);
    if (child)
        return child;
    alarm(60);
    for (int i = 0; i < SIGNALS; i++)
        if (kill(getppid(), SIGUSR1) < 0 || read(tell[0], &byte, 1) != 1)
            _exit(1);
    _exit(write(to, "x", 1) != 1);
}

coop_routine(in_storm, int fds[2]; pid_t *child;)
{
    coop_begin;
    coop_spawn(waiter, .name = "wait", .kind = READ_WAIT, .fd = my->fds[0]);
    coop_spawn(waiter, .name = "recv", .kind = RECV, .fd = my->fds[0]);
    coop_await(coop_void, settle);
    *my->child = storm(my->fds[1]);
    coop_end;
}

static void signals_do_not_end_waits(void)
{
    int fds[2], status;
    pid_t child = 0;
    struct sigaction old, new = { .sa_handler = count_signal };
    outside_open();
    pair(fds);
    need(sigaction(SIGUSR1, &new, &old) == 0, "sigaction");
    IS(coop_main(in_storm, .fds = { fds[0], fds[1] }, .child = &child), 0);
    LOG_IS("wait=0 recv=1");
    IS(signals, SIGNALS);
    IS(waitpid(child, &status, 0), child);
    IS(status, 0);
    sigaction(SIGUSR1, &old, NULL);
    close(told);
    close_pair(fds);
    outside_close();
}

coop_routine(poll_fails, int unused;)
{
    coop_begin;
    coop_await(coop_void, settle);
    outside.fails = -EIO;
    coop_end;
}

static void run_tells_that_poll_failed(void)
{
    int fds[2];
    outside_open();
    pair(fds);
    coop_spawn(waiter, .name = "recv", .kind = RECV, .fd = fds[0]);
    IS(coop_main(poll_fails), -EIO);
    IS(coop_run(), -EIO);
    outside.fails = 0;
    IS(write(fds[1], "x", 1), 1);
    IS(coop_run(), 0);
    LOG_IS("recv=1");
    close_pair(fds);
    outside_close();
}

static const suite_test tests[] = {
    { "bad_descriptors_are_EBADF", bad_descriptors_are_EBADF },
    { "wrong_kinds_of_descriptors", wrong_kinds_of_descriptors },
    { "bad_buffers_are_EFAULT", bad_buffers_are_EFAULT },
    { "rule_14_regular_files_are_always_ready", rule_14_regular_files_are_always_ready },
    { "F11_rule_14_descriptors_past_FD_SETSIZE", F11_rule_14_descriptors_past_FD_SETSIZE },
    { "EMFILE_at_accept_and_after", EMFILE_at_accept_and_after },
    { "signals_do_not_end_waits", signals_do_not_end_waits },
    { "run_tells_that_poll_failed", run_tells_that_poll_failed },
};

int main(int argc, char **argv)
{
    return suite_main("limits", tests, SUITE_COUNT(tests), argc, argv);
}
