/* faults.c - SIGSEGV and SIGBUS, caught on an alternate stack. Like other signals they are
   the process's, so the state here is the process's too. Handlers read it without the lock:
   it is complete before the first of them can run. */
#include "config.h"

#include "machine/crash.h"
#include "machine/memory.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <ucontext.h>

enum { ALTERNATE = 64 * 1024 };

static const int signals[] = { SIGSEGV, SIGBUS };
enum { SIGNALS = sizeof signals / sizeof *signals };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned watchers;
static struct sigaction before[SIGNALS];
static bool (*looker)(const struct coop_fault *);

static struct coop_fault fault_of(const siginfo_t *info, void *context)
{
    struct coop_fault f = { .address = info->si_addr, .context = context };
#if defined __linux__ && defined __x86_64__
    const ucontext_t *u = context;
    f.pc = (void *)(uintptr_t)u->uc_mcontext.gregs[REG_RIP];
    f.sp = (void *)(uintptr_t)u->uc_mcontext.gregs[REG_RSP];
#elif defined __linux__ && defined __aarch64__
    const ucontext_t *u = context;
    f.pc = (void *)(uintptr_t)u->uc_mcontext.pc;
    f.sp = (void *)(uintptr_t)u->uc_mcontext.sp;
#endif
    return f;
}

/* A fault comes again when the handler returns; a signal that was sent does not. */
static void as_before(int number, const struct sigaction *old, const siginfo_t *info)
{
    sigaction(number, old, NULL);
    if (info->si_code <= 0)
        raise(number);
}

static void pass_on(int number, const struct sigaction *old, siginfo_t *info, void *context)
{
    if (old->sa_flags & SA_SIGINFO)
        old->sa_sigaction(number, info, context);
    else if (old->sa_handler == SIG_DFL || old->sa_handler == SIG_IGN)
        as_before(number, old, info);
    else
        old->sa_handler(number);
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    int error = errno;
    const struct sigaction *old = &before[number == signals[0] ? 0 : 1];
    struct coop_fault fault = fault_of(info, context);
    if (info->si_code > 0 && looker(&fault))
        as_before(number, old, info);
    else
        pass_on(number, old, info, context);
    errno = error;
}

static int install(void)
{
    struct sigaction ours = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };
    sigemptyset(&ours.sa_mask);
    for (int i = 0; i < SIGNALS; i++)
        if (sigaction(signals[i], NULL, &before[i]) < 0
            || sigaction(signals[i], &ours, NULL) < 0)
            return -errno;
    return 0;
}

/* Who came after us and passes on to us keeps the signal. */
static void uninstall(void)
{
    struct sigaction now;
    for (int i = 0; i < SIGNALS; i++)
        if (sigaction(signals[i], NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO)
            && now.sa_sigaction == on_fault)
            sigaction(signals[i], &before[i], NULL);
}

int coop_faults_on(bool (*look)(const struct coop_fault *))
{
    int r = 0;
    pthread_mutex_lock(&lock);
    if (watchers == 0) {
        looker = look;
        r = install();
    }
    if (r == 0)
        watchers++;
    pthread_mutex_unlock(&lock);
    return r;
}

void coop_faults_off(void)
{
    pthread_mutex_lock(&lock);
    if (--watchers == 0)
        uninstall();
    pthread_mutex_unlock(&lock);
}

int coop_alternate_stack(void **mine)
{
    stack_t now;
    size_t page = coop_page_size();
    *mine = NULL;
    if (sigaltstack(NULL, &now) < 0)
        return -errno;
    if (!(now.ss_flags & SS_DISABLE))
        return 0;
    char *at = coop_map(page + ALTERNATE);
    if (!at)
        return -ENOMEM;
    stack_t ours = { .ss_sp = at + page, .ss_size = ALTERNATE };
    if (coop_wall(at, page) < 0 || sigaltstack(&ours, NULL) < 0) {
        coop_unmap(at, page + ALTERNATE);
        return -ENOMEM;
    }
    *mine = at;
    return 0;
}

void coop_no_alternate_stack(void *mine)
{
    stack_t none = { .ss_flags = SS_DISABLE }, now;
    size_t page = coop_page_size();
    if (!mine)
        return;
    if (sigaltstack(NULL, &now) == 0 && now.ss_sp == (char *)mine + page)
        sigaltstack(&none, NULL);
    coop_unmap(mine, page + ALTERNATE);
}
