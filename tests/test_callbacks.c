/* Fibers that wait within functions of others, which have called back and know nothing of
   it; meanwhile other tasks go on, and may be in the same functions. */
#include "world.h"

#include <dirent.h>
#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const few[] = { "d", "a", "c", "b" };
enum { FEW = sizeof few / sizeof *few };

/* Counts the ms until it is stopped. */
coop_routine(clocks, bool *stop; int ms;)
{
    coop_begin;
    while (!*my->stop) {
        my->ms++;
        coop_trap(coop_void, Sleep, .ns = COOP_MS(1));
    }
    coop_return(my->ms);
    coop_end;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* ---- qsort ---- */

static unsigned comparisons;

static int slow_order(const void *a, const void *b)
{
    comparisons++;
    IS(coop_sleep(COOP_MS(1)), 0);
    return by_name(a, b);
}

static coop_value sorts(void *arg)
{
    const char **words = arg;
    qsort(words, FEW, sizeof *words, slow_order);
    return 0;
}

struct sorting {
    const char *words[FEW];
    bool done;
};

static coop_value sorts_and_stops(void *arg)
{
    struct sorting *s = arg;
    sorts(s->words);
    s->done = true;
    return 0;
}

static void a_comparison_may_sleep(void)
{
    struct sorting s = { .done = false };
    memcpy(s.words, few, sizeof few);
    comparisons = 0;
    world_open(0);
    IS(coop_spawn_fiber(sorts_and_stops, &s), 1);
    coop_value ms = coop_main(clocks, .stop = &s.done);
    CU_ASSERT(comparisons >= FEW - 1);
    CU_ASSERT((unsigned)ms >= comparisons && (unsigned)ms <= comparisons + 1);
    for (int i = 0; i < FEW; i++)
        IS(s.words[i][0], 'a' + i);
    world_close();
}

static void many_sort_at_once(void)
{
    static const char *words[100][FEW];
    world_open(0);
    for (int i = 0; i < 100; i++) {
        memcpy(words[i], few, sizeof few);
        IS(coop_spawn_fiber(sorts, words[i]), i + 1);
    }
    IS(coop_run(), 0);
    for (int i = 0; i < 100; i++)
        for (int n = 0; n < FEW; n++)
            IS(words[i][n][0], 'a' + n);
    world_close();
}

/* ---- Another task is asked for the comparison ---- */

static coop_chan *questions, *answers;

struct question { const void *a, *b; };

coop_routine(judge, struct question q; coop_value r;)
{
    coop_begin;
    for (;;) {
        coop_trap(my->r, ChanRecv, .chan = questions, .item = &my->q);
        if (my->r < 0)
            coop_return(my->r == -EPIPE ? 0 : my->r);
        coop_trap(my->r, ChanSend, .chan = answers,
                  .value = 1 + (by_name(my->q.a, my->q.b) > 0));
    }
    coop_end;
}

static int asked_order(const void *a, const void *b)
{
    struct question q = { a, b };
    IS(coop_chan_send_item(questions, &q), 0);
    return (int)coop_chan_recv(answers, NULL) == 2 ? 1 : -1;
}

static coop_value finds(void *arg)
{
    const char *key = "c", *words[FEW];
    memcpy(words, few, sizeof few);
    qsort(words, FEW, sizeof *words, asked_order);
    for (int i = 0; i < FEW; i++)
        say("%s", words[i]);
    const char **found = bsearch(&key, words, FEW, sizeof *words, slow_order);
    say("found %s", found ? *found : "nothing");
    (void)arg;
    return coop_chan_close(questions);
}

static void another_task_may_decide(void)
{
    world_open(0);
    questions = coop_chan_open(sizeof (struct question), 0, "questions");
    answers = coop_chan_open(0, 0, "answers");
    coop_spawn(judge);
    coop_spawn_fiber(finds, NULL);
    IS(coop_run(), 0);
    LOG_IS("a b c d found c");
    coop_chan_free(questions);
    coop_chan_free(answers);
    world_close();
}

/* ---- Trees and folders ---- */

static void visit(const void *node, VISIT order, int depth)
{
    (void)depth;
    if (order != postorder && order != leaf)
        return;
    coop_sleep(COOP_MS(1));
    say("%s", *(const char *const *)node);
}

static int plain_order(const void *a, const void *b)
{
    return strcmp(a, b);
}

static coop_value walks(void *tree)
{
    twalk(tree, visit);
    return 0;
}

static void a_walk_may_stop_at_each_node(void)
{
    void *tree = NULL;
    world_open(0);
    for (int i = 0; i < FEW; i++)
        CU_ASSERT_PTR_NOT_NULL(tsearch(few[i], &tree, plain_order));
    coop_spawn_fiber(walks, tree);
    coop_spawn_fiber(walks, tree);
    IS(coop_run(), 0);
    LOG_IS("a a b b c c d d");
    for (int i = 0; i < FEW; i++)
        tdelete(few[i], &tree, plain_order);
    world_close();
}

static int slow_filter(const struct dirent *entry)
{
    coop_sleep(COOP_MS(1));
    return entry->d_name[0] != '.';
}

static coop_value lists(void *folder)
{
    struct dirent **found;
    int n = scandir(folder, &found, slow_filter, alphasort);
    for (int i = 0; i < n; i++) {
        say("%s", found[i]->d_name);
        free(found[i]);
    }
    if (n >= 0)
        free(found);
    return n;
}

static void a_filter_may_wait(void)
{
    char folder[] = "/tmp/coop-callbacks-XXXXXX", inner[80];
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    snprintf(inner, sizeof inner, "%s/only", folder);
    CU_ASSERT_EQUAL(symlink("nowhere", inner), 0);
    world_open(0);
    coop_spawn_fiber(lists, folder);
    coop_spawn_fiber(lists, folder);
    IS(coop_run(), 0);
    LOG_IS("only only");
    world_close();
    unlink(inner);
    rmdir(folder);
}

/* ---- Ends ---- */

static coop_value kills(void *arg)
{
    coop_sleep(COOP_MS(1));
    return coop_kill_task(*(coop_tid *)arg, true);
}

static int counting_order(const void *a, const void *b)
{
    comparisons++;
    coop_sleep(COOP_S(1));
    return by_name(a, b);
}

static coop_value sorts_on(void *arg)
{
    (void)arg;
    const char *words[FEW];
    memcpy(words, few, sizeof few);
    qsort(words, FEW, sizeof *words, counting_order);
    say("sorted");
    return 0;
}

/* qsort cannot be told to stop: its comparisons do not wait any more. */
static void one_that_is_killed_comes_out_of_it(void)
{
    coop_tid tid;
    comparisons = 0;
    world_open(0);
    tid = coop_spawn_fiber(sorts_on, NULL);
    IS(coop_main(COOP_FIBER(kills, &tid)), 0);
    LOG_IS("sorted");
    CU_ASSERT(comparisons >= FEW - 1);
    CU_ASSERT(world.machine.slept < COOP_S(1));
    world_close();
}

static const suite_test tests[] = {
    TEST(a_comparison_may_sleep),
    TEST(many_sort_at_once),
    TEST(another_task_may_decide),
    TEST(a_walk_may_stop_at_each_node),
    TEST(a_filter_may_wait),
    TEST(one_that_is_killed_comes_out_of_it),
};

int main(int argc, char **argv)
{
    return suite_main("callbacks", tests, SUITE_COUNT(tests), argc, argv);
}
