/* What epoll does not tell by itself, and no poller may leave out: descriptors that are
   closed, or have another file. */
#include "outside.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { ENOUGH = 5 };               /* polls while a task sleeps once, at most */

static bool has_epoll(void)
{
    return outside_has("epoll");
}

coop_routine(another_file, int fds[2], other[2]; FILE *file; coop_tid tid; coop_value r;)
{
    coop_begin;
    pair(my->fds);
    pair(my->other);
    coop_spawn(waiter, .name = "a", .kind = RECV, .fd = my->fds[0]);
    coop_await(coop_void, settle);
    need(dup2(my->other[0], my->fds[0]) >= 0, "dup2");
    IS(write(my->other[1], "x", 1), 1);
    while (outside_watched())
        coop_trap(coop_void, Sleep, .ns = COOP_MS(1));
    LOG_IS("a=1");
    coop_spawn(waiter, .name = "b", .kind = READ_WAIT, .fd = my->fds[0]);
    coop_await(coop_void, settle);
    my->file = tmpfile();
    need(my->file && dup2(fileno(my->file), my->fds[0]) >= 0, "dup2");
    while (outside_watched())
        coop_trap(coop_void, Sleep, .ns = COOP_MS(1));
    LOG_IS("b=0");
    fclose(my->file);
    close_pair(my->fds), close_pair(my->other);
    coop_end;
}

static void number_of_another_file(void)
{
    ON_ALL(0, another_file);
}

/* The host goes on with a file that is open elsewhere, under the number closed here. */
coop_routine(open_elsewhere, int fds[2], other[2], copy; bool starve; unsigned polls;)
{
    coop_begin;
    pair(my->fds);
    pair(my->other);
    coop_spawn(waiter, .name = "recv", .kind = RECV, .fd = my->fds[0]);
    coop_spawn(waiter, .name = "other", .kind = RECV, .fd = my->other[0]);
    coop_await(coop_void, settle);
    my->copy = dup(my->fds[0]);
    close(my->fds[0]);
    while (outside_watched() == 2)
        coop_trap(coop_void, Sleep, .ns = COOP_MS(1));
    coop_await(coop_void, settle);
    LOG_IS("recv=-9");
    IS(write(my->fds[1], "x", 1), 1);
    if (my->starve) {
        my->fds[0] = open("/dev/null", O_RDONLY);
        allow_no_more_descriptors();
    }
    my->polls = outside.polls;
    coop_trap(coop_void, Sleep, .ns = COOP_MS(20));
    IS(outside.polls - my->polls <= ENOUGH, 1);
    if (my->starve) {
        allow_descriptors_again();
        close(my->fds[0]);
    }
    IS(write(my->other[1], "x", 1), 1);
    coop_await(coop_void, settle);
    coop_await(coop_void, settle);
    LOG_IS("other=1");
    close(my->copy), close(my->fds[1]), close_pair(my->other);
    coop_end;
}

static void closed_but_open_elsewhere(void)
{
    ON_ALL(0, open_elsewhere);
}

static void closed_but_open_elsewhere_and_no_new_set(void)
{
    if (has_epoll() && !under_valgrind())
        ON("epoll", 0, open_elsewhere, .starve = true);
}

/* The old file under a number is ready; who waits for the new one must not hear of it. */
coop_routine(old_file, int fds[2], other[2], copy; coop_tid tid; unsigned polls;)
{
    coop_begin;
    pair(my->fds);
    pair(my->other);
    my->tid = coop_spawn(waiter, .name = "old", .kind = READ_WAIT, .fd = my->fds[0]);
    coop_await(coop_void, settle);
    my->copy = dup(my->fds[0]);
    close(my->fds[0]);
    coop_trap(coop_void, KillTask, .tid = my->tid, .wait = true);
    need(dup2(my->other[0], my->fds[0]) >= 0, "dup2");
    my->tid = coop_spawn(waiter, .name = "new", .kind = READ_WAIT, .fd = my->fds[0]);
    coop_await(coop_void, settle);
    IS(write(my->fds[1], "x", 1), 1);
    my->polls = outside.polls;
    coop_trap(coop_void, Sleep, .ns = COOP_MS(20));
    IS(outside.polls - my->polls <= ENOUGH, 1);
    LOG_IS("");
    waits_in(my->tid, READ_WAIT);
    IS(write(my->other[1], "x", 1), 1);
    coop_await(coop_void, settle);
    LOG_IS("new=0");
    close(my->copy), close_pair(my->fds);
    close_pair(my->other);
    coop_end;
}

static void news_of_the_old_file_are_dropped(void)
{
    ON_ALL(0, old_file);
}

coop_routine(comes_back, int fds[2], copy; coop_tid tid;)
{
    coop_begin;
    pair(my->fds);
    my->tid = coop_spawn(waiter, .name = "before", .kind = READ_WAIT, .fd = my->fds[0]);
    coop_await(coop_void, settle);
    my->copy = dup(my->fds[0]);
    close(my->fds[0]);
    coop_trap(coop_void, KillTask, .tid = my->tid, .wait = true);
    need(dup2(my->copy, my->fds[0]) >= 0, "dup2");
    coop_spawn(waiter, .name = "after", .kind = READ_WAIT, .fd = my->fds[0]);
    coop_await(coop_void, settle);
    IS(write(my->fds[1], "x", 1), 1);
    coop_await(coop_void, settle);
    LOG_IS("after=0");
    close(my->copy), close_pair(my->fds);
    coop_end;
}

static void a_file_comes_back_to_its_number(void)
{
    ON_ALL(0, comes_back);
}

/* Somebody closes all that he did not open, and so the poller's own. */
coop_routine(closes_the_set, int fds[2], set; bool reuse, look;)
{
    coop_begin;
    pair(my->fds);
    coop_spawn(waiter, .name = "r", .kind = RECV, .fd = my->fds[0]);
    coop_await(coop_void, settle);
    close(my->set);
    if (my->reuse)
        IS(dup(my->fds[1]), my->set);
    if (my->look)
        coop_await(coop_void, settle);
    coop_spawn(waiter, .name = "r2", .kind = RECV, .fd = my->fds[0]);
    coop_spawn(waiter, .name = "s", .kind = WRITE_WAIT, .fd = my->fds[0]);
    coop_await(coop_void, settle);
    LOG_IS("s=0");
    IS(write(my->fds[1], "x", 1), 1);
    coop_await(coop_void, settle);
    LOG_IS("r=1");
    IS(write(my->fds[1], "x", 1), 1);
    coop_await(coop_void, settle);
    LOG_IS("r2=1");
    IS(is_open(my->set), 1);
    if (my->reuse)
        IS(write(my->set, "x", 1), 1);
    if (my->reuse)
        close(my->set);
    close_pair(my->fds);
    coop_end;
}

static void closed_set(void)
{
    int set = dup(0);
    close(set);
    if (has_epoll()) {
        ON("epoll", 0, closes_the_set, .set = set);
        ON("epoll", 0, closes_the_set, .set = set, .reuse = true);
        ON("epoll", 0, closes_the_set, .set = set, .look = true);
        ON("epoll", 0, closes_the_set, .set = set, .reuse = true, .look = true);
    }
}

/* Two tasks on one descriptor that was closed: one goes, and the other must still hear. */
coop_routine(one_of_two, int fds[2]; coop_tid tid;)
{
    coop_begin;
    pair(my->fds);
    fill(my->fds[0]);
    my->tid = coop_spawn(waiter, .name = "w", .kind = WRITE_WAIT, .fd = my->fds[0]);
    coop_spawn(waiter, .name = "r", .kind = READ_WAIT, .fd = my->fds[0]);
    coop_await(coop_void, settle);
    close(my->fds[0]);
    coop_trap(coop_void, KillTask, .tid = my->tid, .wait = true);
    while (outside_watched())
        coop_trap(coop_void, Sleep, .ns = COOP_MS(1));
    LOG_IS("r=-9");
    close(my->fds[1]);
    coop_end;
}

static void closed_under_two(void)
{
    ON_ALL(0, one_of_two);
}

static const suite_test tests[] = {
    TEST(number_of_another_file),
    TEST(closed_but_open_elsewhere),
    TEST(closed_but_open_elsewhere_and_no_new_set),
    TEST(news_of_the_old_file_are_dropped),
    TEST(a_file_comes_back_to_its_number),
    TEST(closed_set),
    TEST(closed_under_two),
};

int main(int argc, char **argv)
{
    return suite_main("epoll", tests, SUITE_COUNT(tests), argc, argv);
}
