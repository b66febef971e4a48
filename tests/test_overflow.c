/* test_overflow.c - what happens when a stack is too small, in a child. */
#include "config.h"

#include "fiber/fiber.h"
#include "forked.h"
#include "machine/crash.h"
#include "machine/memory.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>

void *__real_mmap(void *, size_t, int, int, int, off_t);
void *__wrap_mmap(void *, size_t, int, int, int, off_t);
static bool no_memory;

void *__wrap_mmap(void *at, size_t size, int rights, int flags, int fd, off_t offset)
{
    if (!no_memory)
        return __real_mmap(at, size, rights, flags, fd, offset);
    errno = ENOMEM;
    return MAP_FAILED;
}

/* ---- A context on a stack of a pool, which tells of overflows ---- */

static _Thread_local struct coop_context main_side, fiber_side;
static _Thread_local struct coop_stack *stack;

static void say(const char *format, const char *what, size_t number)
{
    char line[300];
    int length = snprintf(line, sizeof line, format, what, number);
    if (write(told, line, (size_t)length) < 0)
        _exit(99);
}

static void on_overflow(void *arg, const struct coop_overflow *o)
{
    char code[100];
    void *pcs[1000];
    coop_print_code(o->pc, code, sizeof code);
    say("%s: stack overflow, %zu KiB stack", o->stack->owner, o->stack->size / 1024);
    say(", at %s%.0zu\n", code, 0);
    bool within = (char *)o->sp >= o->stack->low - coop_page_size()
        && (char *)o->sp < o->stack->low + o->stack->size;
    say("%s%.0zu\n", within ? "by its own code" : "by other code", 0);
    size_t n = coop_overflow_trace(o, pcs, 1000);
    for (size_t i = 0; i < 2 && i < n; i++) {
        coop_print_code((char *)pcs[i] - (i > 0), code, sizeof code);
        say("#%2$zu %1$s\n", code, i);
    }
    coop_print_code((char *)pcs[n - 1] - 1, code, sizeof code);
    say("from %s%.0zu\n", code, 0);
    CU_ASSERT_PTR_EQUAL(arg, &told);
}

static struct coop_stacks *new_pool(enum coop_guard best)
{
    struct coop_stacks_options options = {
        .best = best, .overflow = on_overflow, .arg = &told
    };
    return coop_stacks_new(&options);
}

/* Runs entry on a stack and leaves it there. */
static struct coop_stacks *run_in(enum coop_guard best, const char *name,
                                  void (*entry)(void *, void *), void *arg)
{
    struct coop_stacks *p = new_pool(best);
    if (!p || coop_stack_take(p, 0, &stack) < 0)
        _exit(98);
    stack->owner = (void *)name;
    coop_context_make(&fiber_side, stack->low, stack->size, entry, arg);
    coop_switch(&main_side, &fiber_side, NULL);
    return p;
}

static __attribute__((noinline)) int descend(int n)
{
    volatile char room[200];
    room[n % 200] = (char)n;
    if (n == INT32_MAX)
        return 0;
    return descend(n + 1) + room[0];
}

static void overflow(void *arg, void *pass)
{
    (void)pass;
    *(int *)arg = descend(0);
    coop_switch_last(&fiber_side, &main_side, NULL);
}

/* ---- Children ---- */

static void watch(void)
{
    void *keep;
    if (coop_overflow_watch(&keep) < 0)
        _exit(97);
}

static void overflow_marked(void)
{
    int depth;
    watch();
    run_in(COOP_GUARD_MARK, "worker", overflow, &depth);
}

static void overflow_walled(void)
{
    int depth;
    watch();
    run_in(COOP_GUARD_WALL, "worker", overflow, &depth);
}

static void an_overflow_is_told(void)
{
    CU_ASSERT(ends_by(SIGSEGV, overflow_marked));
    CU_ASSERT(says("worker: stack overflow, 64 KiB stack, at descend+0x"));
    CU_ASSERT(says("by its own code\n#0 descend+0x"));
    CU_ASSERT(says("\n#1 descend+0x"));
    CU_ASSERT(ends_by(SIGSEGV, overflow_walled));
    CU_ASSERT(says("worker: stack overflow, 64 KiB stack, at descend+0x"));
}

/* All of it is below the page under the stack. */
static __attribute__((noinline)) void fill_large(void)
{
    char room[COOP_STACK_SIZE + 3 * COOP_GUARD_SIZE / 4];
    __asm__ volatile("" : : "r"(room) : "memory");      /* all of it is there */
    *(volatile char *)room = 1;
}

static void overflow_by_an_array(void *arg, void *pass)
{
    (void)arg, (void)pass;
    fill_large();
    coop_switch_last(&fiber_side, &main_side, NULL);
}

static void overflow_at_once(void)
{
    watch();
    run_in(COOP_GUARD_MARK, "worker", overflow_by_an_array, NULL);
}

static void an_array_does_not_step_over_the_guard(void)
{
    CU_ASSERT(ends_by(SIGSEGV, overflow_at_once));
    CU_ASSERT(says("worker: stack overflow, 64 KiB stack, at fill_large+0x"));
}

static __attribute__((noinline)) int descend_little(int n)
{
    volatile char room[200];
    room[n % 200] = (char)n;
    return n == 0 ? 0 : descend_little(n - 1) + room[0];
}

static __attribute__((noinline)) void touch_guard(void)
{
    *(volatile char *)(stack->low - 1) = 1;
}

static void touch_within(void *arg, void *pass)
{
    (void)arg, (void)pass;
    descend_little(10);
    touch_guard();
    coop_switch_last(&fiber_side, &main_side, NULL);
}

static void touch_inside(void)
{
    watch();
    run_in(COOP_GUARD_MARK, "worker", touch_within, NULL);
}

static void the_call_stack_is_told(void)
{
    CU_ASSERT(ends_by(SIGSEGV, touch_inside));
    CU_ASSERT(says("\n#0 touch_guard+0x"));
    CU_ASSERT(says("\n#1 touch_within+0x"));
#ifndef COOP_SWITCH_UCONTEXT
    CU_ASSERT(says("\nfrom coop_context_start+0x"));
#endif
}

static void nothing(void *arg, void *pass)
{
    (void)arg, (void)pass;
    coop_switch(&fiber_side, &main_side, NULL);
}

static void touch_outside(void)
{
    watch();
    run_in(COOP_GUARD_MARK, "worker", nothing, NULL);
    touch_guard();
}

static void a_wild_pointer_is_told_apart(void)
{
    CU_ASSERT(ends_by(SIGSEGV, touch_outside));
    CU_ASSERT(says("by other code"));
}

static _Noreturn void wait_for_ever(void)
{
    for (;;)
        pause();
}

static void *in_thread(void *name)
{
    int depth;
    watch();
    run_in(COOP_GUARD_MARK, name, *(char *)name == 'b' ? overflow : nothing, &depth);
    wait_for_ever();
}

static void overflow_in_threads(void)
{
    static char names[3][4] = { "a", "b", "c" };
    pthread_t thread;
    watch();
    for (int i = 0; i < 3; i++)
        if (pthread_create(&thread, NULL, in_thread, names[i]))
            _exit(96);
    wait_for_ever();
}

static void each_thread_has_its_own(void)
{
    CU_ASSERT(ends_by(SIGSEGV, overflow_in_threads));
    CU_ASSERT_EQUAL(strncmp(text, "b: stack overflow", 17), 0);
}

/* ---- Faults of others ---- */

static char *volatile nowhere = (char *)8;

static void fault(void *arg, void *pass)
{
    (void)arg, (void)pass;
    *nowhere = 1;
}

static void fault_watched(void)
{
    watch();
    run_in(COOP_GUARD_MARK, "worker", fault, NULL);
}

static void send_to_itself(void)
{
    watch();
    kill(getpid(), SIGSEGV);
}

static void send_bus(void)
{
    watch();
    kill(getpid(), SIGBUS);
}

/* Pages of a stack, but not its guard. */
static void fault_on_stack(void)
{
    watch();
    run_in(COOP_GUARD_MARK, "worker", nothing, NULL);
    mprotect(stack->low, coop_page_size(), PROT_NONE);
    *(volatile char *)stack->low = 1;
}

static void had_it(int number)
{
    say("%s%zu\n", "had ", (size_t)number);
    _exit(42);
}

/* Where there was a guard. */
static void fault_after_pool(void)
{
    signal(SIGSEGV, had_it);
    watch();
    struct coop_stacks *p = run_in(COOP_GUARD_MARK, "worker", nothing, NULL);
    char *guard = stack->low - coop_page_size();
    coop_stacks_free(p);
    mmap(guard, coop_page_size(), PROT_NONE,
         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    *(volatile char *)guard = 1;
}

static void other_faults_are_as_before(void)
{
    CU_ASSERT(ends_by(SIGSEGV, fault_on_stack));
    CU_ASSERT_STRING_EQUAL(text, "");
    status_of(fault_after_pool);
    CU_ASSERT_STRING_EQUAL(text, "had 11\n");
    CU_ASSERT(ends_by(SIGSEGV, fault_watched));
    CU_ASSERT_STRING_EQUAL(text, "");
    CU_ASSERT(ends_by(SIGSEGV, send_to_itself));
    CU_ASSERT_STRING_EQUAL(text, "");
    CU_ASSERT(ends_by(SIGBUS, send_bus));
}

static void had_it_with_address(int number, siginfo_t *info, void *context)
{
    (void)context;
    say("%s%zu\n", info->si_addr == nowhere ? "at nowhere " : "elsewhere ", (size_t)number);
    _exit(43);
}

static void fault_had(void)
{
    signal(SIGSEGV, had_it);
    fault_watched();
}

static void fault_had_with_address(void)
{
    struct sigaction action = {
        .sa_sigaction = had_it_with_address, .sa_flags = SA_SIGINFO
    };
    sigaction(SIGSEGV, &action, NULL);
    fault_watched();
}

/* It needs an alternate stack itself, as it is called on the one that has overflown. */
static void overflow_had(void)
{
    struct sigaction action = { .sa_handler = had_it, .sa_flags = SA_ONSTACK };
    sigaction(SIGSEGV, &action, NULL);
    overflow_marked();
}

static void handlers_before_ours_are_called(void)
{
    int status = status_of(fault_had);
    CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 42);
    CU_ASSERT_STRING_EQUAL(text, "had 11\n");
    status = status_of(fault_had_with_address);
    CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 43);
    CU_ASSERT_STRING_EQUAL(text, "at nowhere 11\n");
    status = status_of(overflow_had);
    CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 42);
    CU_ASSERT(says("worker: stack overflow"));
    CU_ASSERT(says("had 11\n"));
}

/* ---- On and off ---- */

static struct sigaction action_of(int number)
{
    struct sigaction now;
    sigaction(number, NULL, &now);
    return now;
}

static stack_t alternate(void)
{
    stack_t now;
    sigaltstack(NULL, &now);
    return now;
}

static void all_is_as_before_when_off(void)
{
    void *first, *second;
    struct sigaction before = action_of(SIGSEGV);
    bool none = alternate().ss_flags & SS_DISABLE;
    CU_ASSERT_EQUAL(coop_overflow_watch(&first), 0);
    CU_ASSERT(!(alternate().ss_flags & SS_DISABLE));
    CU_ASSERT(action_of(SIGSEGV).sa_sigaction != before.sa_sigaction);
    CU_ASSERT_EQUAL(coop_overflow_watch(&second), 0);
    coop_overflow_unwatch(second);
    CU_ASSERT(action_of(SIGSEGV).sa_sigaction != before.sa_sigaction);
    CU_ASSERT(!(alternate().ss_flags & SS_DISABLE));
    coop_overflow_unwatch(first);
    CU_ASSERT(action_of(SIGSEGV).sa_handler == before.sa_handler);
    CU_ASSERT(!!(alternate().ss_flags & SS_DISABLE) == none);
}

static void a_threads_own_alternate_stack_stays(void)
{
    static char room[64 * 1024];
    stack_t before, own = { .ss_sp = room, .ss_size = sizeof room };
    void *keep;
    sigaltstack(&own, &before);
    CU_ASSERT_EQUAL(coop_overflow_watch(&keep), 0);
    CU_ASSERT_PTR_EQUAL(alternate().ss_sp, room);
    coop_overflow_unwatch(keep);
    CU_ASSERT_PTR_EQUAL(alternate().ss_sp, room);
    before.ss_flags &= SS_DISABLE;
    sigaltstack(&before, NULL);
}

static void without_memory_nothing_changes(void)
{
    struct sigaction before = action_of(SIGSEGV);
    void *keep;
    no_memory = true;
    CU_ASSERT_EQUAL(coop_overflow_watch(&keep), -ENOMEM);
    no_memory = false;
    CU_ASSERT(action_of(SIGSEGV).sa_handler == before.sa_handler);
    CU_ASSERT_PTR_NULL(keep);
}

static const suite_test tests[] = {
    { "an_overflow_is_told", an_overflow_is_told },
    { "the_call_stack_is_told", the_call_stack_is_told },
    { "an_array_does_not_step_over_the_guard", an_array_does_not_step_over_the_guard },
    { "a_wild_pointer_is_told_apart", a_wild_pointer_is_told_apart },
    { "each_thread_has_its_own", each_thread_has_its_own },
    { "other_faults_are_as_before", other_faults_are_as_before },
    { "handlers_before_ours_are_called", handlers_before_ours_are_called },
    { "all_is_as_before_when_off", all_is_as_before_when_off },
    { "a_threads_own_alternate_stack_stays", a_threads_own_alternate_stack_stays },
    { "without_memory_nothing_changes", without_memory_nothing_changes },
};

int main(int argc, char **argv)
{
    told = 9;                      /* an emulator tells of faults on standard error */
    return suite_main("overflow", tests, SUITE_COUNT(tests), argc, argv);
}
