/* A session in which one call of the machine fails: the first, then the second, and so on
   to the last, of each function and in each way that it has. The task that made the call is
   told, and nobody else; all others come to their ends; nothing is left. */
#include "config.h"
#include "faulty.h"
#include "machine/sim.h"
#include "show.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- What is seen of a fault ---- */

enum { MOST_TOLD = 8 };

static struct {
    coop_tid told[MOST_TOLD];      /* whose calls were answered with the fault's error */
    int tolds;
    bool came, at_once;            /* the next answer after the fault was that */
    int interrupted;               /* answers of -EINTR */
} seen;

static int fault;

static void notice_answer(coop_observer *o, const coop_event *e)
{
    (void)o;
    if (e->system || (e->kind != COOP_RESULT && e->kind != COOP_WAKE))
        return;
    seen.interrupted += e->value == -EINTR;
    if (!faulty_came())
        return;
    bool hit = e->value == fault && fault < 0;
    if (!seen.came)
        seen.at_once = hit;
    seen.came = true;
    if (hit && seen.tolds < MOST_TOLD)
        seen.told[seen.tolds++] = e->tid;
}

static int open_descriptors(void)
{
    int n = 0;
    for (int fd = 0; fd < 64; fd++)
        n += is_open(fd);
    return n;
}

static int open_sockets(const coop_machine *m)
{
    const struct coop_sim *sim = (const struct coop_sim *)m;
    int n = 0;
    for (int fd = 0; !strcmp(m->name, "sim") && fd < sim->size; fd++)
        n += sim->slots[fd].socket != NULL;
    return n;
}

/* ---- What is to come of a fault ---- */

/* Those that nobody is told of: it is tried again, or done in another way. */
static bool is_hidden(enum faulty_kind kind)
{
    bool waits = kind == FAULTY_accept || kind == FAULTY_connected || kind == FAULTY_recv
        || kind == FAULTY_send || kind == FAULTY_recvfrom || kind == FAULTY_sendto
        || kind == FAULTY_sendfile || kind == FAULTY_read || kind == FAULTY_write
        || kind == FAULTY_pread_now;
    return fault == FAULTY_PART || fault == -EINTR || (fault == -EAGAIN && waits);
}

/* Those of which perhaps only a part is told: a number of bytes, an empty address; or that
   the kernel asks for by itself, as to close what a failed call had opened. */
static bool may_be_silent(enum faulty_kind kind)
{
    return kind == FAULTY_address || kind == FAULTY_send || kind == FAULTY_sendfile
        || kind == FAULTY_write || kind == FAULTY_watch || kind == FAULTY_close;
}

static bool is_job(enum faulty_kind kind)
{
    return kind == FAULTY_open || kind == FAULTY_pread || kind == FAULTY_pwrite
        || kind == FAULTY_fsync || kind == FAULTY_stat || kind == FAULTY_unlink
        || kind == FAULTY_resolve;
}

static const char *what;           /* the run that is looked at */
static unsigned which;
static enum faulty_kind the_kind;

static void expect(bool right, const char *text)
{
    CU_ASSERT(right);
    if (!right)
        printf("\n  %s: %s number %u gives %s: %s ", what, faulty_name(the_kind), which,
               fault == FAULTY_PART ? "a part" : result(fault), text);
}

/* The group that the fault concerns, NOBODY: not known. All who were told are of it. */
static int told_group(bool *known)
{
    int told = NOBODY;
    *known = seen.tolds > 0;
    for (int i = 0; i < seen.tolds; i++) {
        enum group group = show_group(seen.told[i]);
        *known &= group != NOBODY;
        expect(told == NOBODY || group == NOBODY || group == told, "several are told");
        told = group == NOBODY ? told : group;
    }
    return told;
}

static void look_at_groups(int with)
{
    bool known;
    int told = told_group(&known), ill = show.strangers;
    for (int group = told == SERVER ? PAIRS : 0; group < GROUPS; group++) {
        bool socket = group <= SERVER, there = socket ? show.listener >= 0 : with & HOST;
        ill += show.ill[group] > 0 && group != told;
        if (there && group != told && !show.ill[group])
            expect(show.well[group] >= 1, "one does not come to its end");
    }
    bool well = ill == 0 || (ill <= 2 && !known && !is_hidden(the_kind));
    expect(well, "others are concerned");
    for (int group = 0; !well && group < GROUPS; group++)
        printf("(%d of group %d ill, group %d told) ", show.ill[group], group, told);
}

static void look_at_answers(void)
{
    if (is_hidden(the_kind)) {
        expect(seen.tolds == 0, "somebody is told");
        return;
    }
    if (may_be_silent(the_kind))
        return;
    expect(seen.tolds > 0, "nobody is told");
    expect(is_job(the_kind) || seen.at_once, "the wrong one is told");
}

static void look_at(int with, coop_value r)
{
    if (the_kind == FAULTY_poll && fault < 0) {
        expect(r == fault, "the run does not end with it");
        return;
    }
    expect(r == 0, "the session ends with an error");
    look_at_answers();
    look_at_groups(with);
}

static void (*real_free)(coop_machine *);
static int sockets_left;

static void look_and_free(coop_machine *m)
{
    sockets_left = open_sockets(m);
    real_free(m);
}

/* One session; false: the fault did not come. */
static bool run(const char *machine, int with)
{
    coop_observer watcher = { .event = notice_answer };
    coop_machine *m = NULL;
    int before = open_descriptors();
    need(coop_machine_by_name(machine, getenv("COOP_POLLER"), 1, &m) == 0, machine);
    real_free = m->free;
    m->free = look_and_free;
    show_begin();
    memset(&seen, 0, sizeof seen);
    faulty_begin(m, the_kind, fault, which);
    world_open_with((coop_options){ .machine = m });
    IS(coop_observe(&watcher), 0);
    coop_value r = coop_main(session, .with = with);
    bool came = faulty_came();
    if (came)
        look_at(with, r);
    else
        expect(r == 0 && !show.strangers, "it fails by itself");
    for (int group = 0; !came && group < GROUPS; group++)
        expect(!show.ill[group], "it fails by itself");
    expect(seen.interrupted == 0, "a call is interrupted");
    if (r == 0) {
        expect(!coop_this->living && !coop_this->outside, "tasks are left");
        expect(!coop_this->due_count && !coop_this->jobs, "timers or jobs are left");
        expect(outside_watched() <= 0, "descriptors are waited for");
    }
    IS(coop_unobserve(&watcher), 0);
    IS(coop_sched_close(), 0);
    expect(sockets_left == 0, "sockets are left");
    expect(open_descriptors() == before, "descriptors are left");
    return came;
}

static void sweep(const char *machine, int with)
{
    unsigned runs = 0;
    what = machine;
    for (the_kind = 0; the_kind < FAULTY_COUNT; the_kind++)
        for (int i = 0; (fault = faulty_fault(the_kind, i)); i++) {
            which = 0;
            do {
                which++;
                runs++;
            } while (run(machine, with) && which < 1000);
            CU_ASSERT(which < 1000);
        }
    printf("(%u sessions) ", runs);
}

static void calls_on_sim(void)
{
    sweep("sim:1", SOCKETS);
    sweep("sim:2", SOCKETS);
}

static void library_on_sim(void)
{
    sweep("sim:1", LIBRARY);
    sweep("sim:2", LIBRARY);
}

static void calls_on_the_host(void)
{
    sweep("unix", SOCKETS);
}

static void library_on_the_host(void)
{
    sweep("unix", LIBRARY);
}

/* Helper threads take turns as they like: the n-th call is another one each time. */
static void everything_at_once(void)
{
    sweep("unix", LIBRARY | HOST);
}

static void files_children_and_signals(void)
{
    sweep("unix", HOST);
}

/* ---- Real signals, whose handler lets what they interrupt fail ---- */

enum { ENOUGH = 2000, MOST_SESSIONS = 3000 };
static volatile sig_atomic_t handled;

static void count_signal(int number)
{
    (void)number;
    handled++;
}

static timer_t start_signals(int number, long ns)
{
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = number };
    struct itimerspec spec = { .it_value.tv_nsec = ns, .it_interval.tv_nsec = ns };
    struct sigaction action = { .sa_handler = count_signal };
    timer_t timer;
    need(sigaction(number, &action, NULL) == 0, "sigaction");
    need(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0, "timer_create");
    need(timer_settime(timer, 0, &spec, NULL) == 0, "timer_settime");
    return timer;
}

static void EINTR_everywhere(void)
{
    int sessions;
    timer_t timer = start_signals(SIGUSR2, 30000);
    what = "under signals";
    the_kind = FAULTY_poll;
    fault = FAULTY_PART;
    which = UINT_MAX;
    handled = 0;
    for (sessions = 0; handled < ENOUGH && sessions < MOST_SESSIONS; sessions++)
        CU_ASSERT(!run("unix", HOST | (sessions % 2 ? LIBRARY : SOCKETS)));
    timer_delete(timer);
    signal(SIGUSR2, SIG_DFL);
    CU_ASSERT(handled >= ENOUGH);
    printf("(%d signals in %d sessions) ", (int)handled, sessions);
}

static const suite_test tests[] = {
    TEST(calls_on_sim),
    TEST(library_on_sim),
    TEST(calls_on_the_host),
    TEST(library_on_the_host),
    TEST(files_children_and_signals),
    TEST(everything_at_once),
    TEST(EINTR_everywhere),
};

int main(int argc, char **argv)
{
    const char *tmp = getenv("TMPDIR");
    char folder[1000];
    snprintf(folder, sizeof folder, "%s/coop-sweep.XXXXXX", tmp ? tmp : "/tmp");
    need(mkdtemp(folder) && chdir(folder) == 0, "mkdtemp");
    int status = suite_main("sweep", tests, SUITE_COUNT(tests), argc, argv);
    need(rmdir(folder) == 0, "rmdir");
    return status;
}
