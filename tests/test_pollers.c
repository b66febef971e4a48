/* The pollers: what each of them must do, and how auto moves from one to the other. */
#include "outside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <unistd.h>

/* Those that take any number of descriptors, and large ones. */
static const char *const larger[] = { "auto", "poll", "epoll" };
enum { LARGER = 3 };

static bool has_epoll(void)
{
    return outside_has("epoll");
}

#define ON_LARGER(expected, ...)                                                    \
    for (int i_ = 0; i_ < LARGER - !has_epoll(); i_++)                              \
        ON(larger[i_], expected, __VA_ARGS__)

/* ---- Choice */

static int open_by(const char *poller, bool no_env)
{
    memset(&world, 0, sizeof world);
    int r = coop_sched_open(&(coop_options){ .poller = poller, .no_env = no_env,
                                             .report = world_report, .arg = &world });
    coop_sched_close();
    return r;
}

static void words(void)
{
    static const char *const bad[] = {
        "", "Select", "selec", "selects", "auto ", "kqueue"
    };
    const char *asked = getenv("COOP_POLLER");
    char *before = asked ? strdup(asked) : NULL;
    unsetenv("COOP_POLLER");
    IS(open_by(NULL, false), 0);
    IS(open_by("select", false), 0);
    for (int i = 0; i < LARGER; i++)
        IS(open_by(larger[i], false), has_epoll() || i < 2 ? 0 : -EINVAL);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CU_ASSERT_PTR_NULL(coop_unix(bad[i]));
        IS(open_by(bad[i], false), -EINVAL);
        REPORTED("there is no poller '");
    }
    setenv("COOP_POLLER", "", 1);
    IS(open_by(NULL, false), 0);
    setenv("COOP_POLLER", "some", 1);
    IS(open_by(NULL, false), -EINVAL);
    REPORTED("there is no poller 'some' here; see COOP_POLLER in coop(7)");
    IS(open_by(NULL, true), 0);
    IS(open_by("poll", false), 0);
    NO_REPORTS();
    if (before)
        setenv("COOP_POLLER", before, 1);
    else
        unsetenv("COOP_POLLER");
    free(before);
}

coop_routine(wait_past_select, int fd; coop_value r;)
{
    coop_begin;
    coop_trap(my->r, ReadWait, .fd = my->fd);
    coop_return(my->r);
    coop_end;
}

static void environment_chooses(void)
{
    int fds[2];
    if (!may_open(FD_SETSIZE + 8))
        return;
    pair(fds);
    fds[0] = moved(fds[0], FD_SETSIZE);
    IS(write(fds[1], "x", 1), 1);
    setenv("COOP_POLLER", "select", 1);
    memset(&world, 0, sizeof world);
    IS(coop_sched_open(&(coop_options){ .report = world_report, .arg = &world }), 0);
    IS(coop_main(wait_past_select, .fd = fds[0]), -EMFILE);
    REPORTED("use another one (COOP_POLLER=auto or epoll)");
    coop_sched_close();
    unsetenv("COOP_POLLER");
    IS(coop_main(wait_past_select, .fd = fds[0]), 0);
    close_pair(fds);
}

/* ---- Many, and large ones */

enum { MANY = 1100 };

coop_routine(taker, int fd; int *taken; coop_value n; char byte;)
{
    coop_begin;
    coop_trap(my->n, Recv, .fd = my->fd, .buf = &my->byte, .len = 1);
    *my->taken += my->n == 1;
    coop_end;
}

coop_routine(thousand, int fds[MANY][2]; int taken;)
{
    coop_begin;
    for (int i = 0; i < MANY; i++) {
        pair(my->fds[i]);
        coop_spawn(taker, .fd = my->fds[i][0], .taken = &my->taken);
    }
    coop_await(coop_void, settle);
    IS(outside_watched(), MANY);
    IS(my->taken, 0);
    for (int i = MANY - 1; i >= 0; i--)
        IS(write(my->fds[i][1], "x", 1), 1);
    while (outside_watched() > 0)
        coop_trap(coop_void, Sleep, .ns = 1);
    coop_await(coop_void, settle);
    IS(my->taken, MANY);
    NO_REPORTS();
    for (int i = 0; i < MANY; i++)
        close_pair(my->fds[i]);
    coop_end;
}

static void rule_14_a_thousand_at_once(void)
{
    if (may_open(2 * MANY + 16))
        ON_LARGER(0, thousand);
}

/* The move to another poller comes when descriptors of all kinds are waited for. epoll's
   own gets the number of the closed one. */
coop_routine(move_on, int low[2], closed[2], high[2], late[2]; bool by_number; FILE *file;
             int taken; int more[64][2];)
{
    coop_begin;
    pair(my->low);
    pair(my->closed);
    pair(my->high);
    pair(my->late);
    fill(my->low[0]);
    my->file = tmpfile();
    need(my->file, "tmpfile");
    if (my->by_number)
        my->high[0] = moved(my->high[0], FD_SETSIZE);
    coop_spawn(waiter, .name = "w", .kind = WRITE_WAIT, .fd = my->low[0]);
    coop_spawn(waiter, .name = "r", .kind = READ_WAIT, .fd = my->low[0]);
    coop_spawn(waiter, .name = "closed", .kind = RECV, .fd = my->closed[0]);
    coop_await(coop_void, settle);
    IS(outside_watched(), 2);
    for (int i = 0; i < 64 && !my->by_number; i++) {
        pair(my->more[i]);
        coop_spawn(taker, .fd = my->more[i][0], .taken = &my->taken);
    }
    coop_spawn(waiter, .name = "file", .kind = READ_WAIT, .fd = fileno(my->file));
    close(my->closed[0]);
    coop_spawn(waiter, .name = "high", .kind = RECV, .fd = my->high[0]);
    coop_trap(coop_void, Yield);
    coop_await(coop_void, settle);
    coop_await(coop_void, settle);
    IS(outside_watched(), my->by_number ? 2 : 2 + 64);
    IS(is_open(my->closed[0]), has_epoll());
    CU_ASSERT(strstr(world.log, "file=0") && strstr(world.log, "closed=-9"));
    IS(strlen(world.log), strlen("file=0 closed=-9"));
    clear_log();
    coop_spawn(waiter, .name = "late", .kind = RECV, .fd = my->late[0]);
    coop_await(coop_void, settle);
    drain(my->low[1]);
    coop_await(coop_void, settle);
    LOG_IS("w=0");
    IS(write(my->high[1], "x", 1), 1);
    coop_await(coop_void, settle);
    LOG_IS("high=1");
    IS(write(my->low[1], "x", 1), 1);
    coop_await(coop_void, settle);
    LOG_IS("r=0");
    IS(write(my->late[1], "x", 1), 1);
    coop_await(coop_void, settle);
    LOG_IS("late=1");
    for (int i = 0; i < 64 && !my->by_number; i++)
        IS(write(my->more[i][1], "x", 1), 1);
    coop_await(coop_void, settle);
    IS(my->taken, my->by_number ? 0 : 64);
    IS(outside_watched(), 0);
    NO_REPORTS();
    for (int i = 0; i < 64 && !my->by_number; i++)
        close_pair(my->more[i]);
    fclose(my->file);
    close_pair(my->low), close(my->closed[1]);
    close_pair(my->high), close_pair(my->late);
    coop_end;
}

static void rule_14_auto_moves_for_a_large_descriptor(void)
{
    if (may_open(FD_SETSIZE + 8))
        ON("auto", 0, move_on, .by_number = true);
}

static void rule_14_auto_moves_for_many(void)
{
    if (may_open(256))
        ON("auto", 0, move_on);
}

enum { ENOUGH = 5 };               /* polls while a task sleeps once, at most */

coop_routine(large_one_closed, int fds[2], low[2]; unsigned polls;)
{
    coop_begin;
    pair(my->fds);
    pair(my->low);
    my->fds[0] = moved(my->fds[0], FD_SETSIZE);
    coop_spawn(waiter, .name = "large", .kind = RECV, .fd = my->fds[0]);
    coop_spawn(waiter, .name = "low", .kind = RECV, .fd = my->low[0]);
    coop_await(coop_void, settle);
    IS(outside_watched(), 2);
    close(my->fds[0]);
    while (outside_watched() == 2)
        coop_trap(coop_void, Sleep, .ns = COOP_MS(1));
    coop_await(coop_void, settle);
    LOG_IS("large=-9");
    my->polls = outside.polls;
    coop_trap(coop_void, Sleep, .ns = COOP_MS(20));
    IS(outside.polls - my->polls <= ENOUGH, 1);
    IS(write(my->low[1], "x", 1), 1);
    coop_await(coop_void, settle);
    LOG_IS("low=1");
    close(my->fds[1]), close_pair(my->low);
    coop_end;
}

static void rule_14_a_large_one_that_is_closed_is_forgotten(void)
{
    if (may_open(FD_SETSIZE + 8))
        ON_LARGER(0, large_one_closed);
}

coop_routine(cannot_move, int low[2], high[2]; coop_value r;)
{
    coop_begin;
    pair(my->low);
    pair(my->high);
    my->high[0] = moved(my->high[0], FD_SETSIZE);
    coop_spawn(waiter, .name = "low", .kind = RECV, .fd = my->low[0]);
    coop_await(coop_void, settle);
    allow_no_more_descriptors();
    coop_trap(my->r, ReadWait, .fd = my->high[0]);
    allow_descriptors_again();
    IS(my->r, -EMFILE);
    REPORTED("and leave it a descriptor of its own");
    coop_trap(my->r, ReadWait, .fd = FD_SETSIZE + 1);
    IS(my->r, -EBADF);
    IS(outside_watched(), 1);
    IS(write(my->low[1], "x", 1), 1);
    coop_await(coop_void, settle);
    LOG_IS("low=1");
    coop_spawn(waiter, .name = "high", .kind = RECV, .fd = my->high[0]);
    coop_await(coop_void, settle);
    IS(write(my->high[1], "x", 1), 1);
    coop_await(coop_void, settle);
    LOG_IS("high=1");
    close_pair(my->low), close_pair(my->high);
    coop_end;
}

static void rule_14_without_a_descriptor_for_epoll_select_goes_on(void)
{
    if (has_epoll() && !under_valgrind() && may_open(FD_SETSIZE + 8))
        ON("auto", 0, cannot_move);
}

/* ---- What all must tell alike */

/* A broken pipe is told to its writer, an empty one without writers to its reader. */
coop_routine(hangs_up, int fds[2];)
{
    coop_begin;
    need(pipe(my->fds) == 0 && fcntl(my->fds[1], F_SETFL, O_NONBLOCK) == 0, "pipe");
    coop_spawn(waiter, .name = "reader", .kind = READ_WAIT, .fd = my->fds[0]);
    coop_await(coop_void, settle);
    close(my->fds[1]);
    coop_await(coop_void, settle);
    LOG_IS("reader=0");
    close(my->fds[0]);
    need(pipe(my->fds) == 0 && fcntl(my->fds[1], F_SETFL, O_NONBLOCK) == 0, "pipe");
    fill(my->fds[1]);
    coop_spawn(waiter, .name = "writer", .kind = WRITE_WAIT, .fd = my->fds[1]);
    coop_await(coop_void, settle);
    close(my->fds[0]);
    coop_await(coop_void, settle);
    LOG_IS("writer=0");
    close(my->fds[1]);
    coop_end;
}

static void hang_ups_wake(void)
{
    ON_ALL(0, hangs_up);
}

coop_routine(file_and_socket, FILE *file; int fds[2];)
{
    coop_begin;
    pair(my->fds);
    my->file = tmpfile();
    need(my->file, "tmpfile");
    coop_spawn(waiter, .name = "socket", .kind = READ_WAIT, .fd = my->fds[0]);
    coop_spawn(waiter, .name = "read", .kind = READ_WAIT, .fd = fileno(my->file));
    coop_spawn(waiter, .name = "write", .kind = WRITE_WAIT, .fd = fileno(my->file));
    coop_await(coop_void, settle);
    LOG_IS("read=0 write=0");
    coop_spawn(waiter, .name = "file", .kind = READ_WAIT, .fd = fileno(my->file));
    coop_trap(coop_void, Yield);
    IS(write(my->fds[1], "x", 1), 1);
    coop_await(coop_void, settle);
    CU_ASSERT(strstr(world.log, "socket=0") && strstr(world.log, "file=0"));
    IS(outside_watched(), 0);
    fclose(my->file);
    close_pair(my->fds);
    coop_end;
}

static void rule_14_files_beside_sockets(void)
{
    ON_ALL(0, file_and_socket);
}

static const suite_test tests[] = {
    TEST(words),
    TEST(environment_chooses),
    TEST(rule_14_a_thousand_at_once),
    TEST(rule_14_auto_moves_for_a_large_descriptor),
    TEST(rule_14_auto_moves_for_many),
    TEST(rule_14_a_large_one_that_is_closed_is_forgotten),
    TEST(rule_14_without_a_descriptor_for_epoll_select_goes_on),
    TEST(hang_ups_wake),
    TEST(rule_14_files_beside_sockets),
};

int main(int argc, char **argv)
{
    return suite_main("pollers", tests, SUITE_COUNT(tests), argc, argv);
}
