/* context.c - how a context begins and ends. */
#include "config.h"

#include "fiber/switch.h"

#ifdef HAVE_VALGRIND
unsigned coop_valgrind_looks;
__attribute__((constructor)) static void ask(void)
{
    coop_valgrind_looks = RUNNING_ON_VALGRIND;
}
#endif

#ifdef COOP_ANNOTATED
static void coop_context_arrive(void *arg, void *pass)
{
    struct coop_context *c = arg;
    coop_note_arrive(&c->note);
    c->entry(c->arg, pass);
}
#endif

#ifdef COOP_SWITCH_UCONTEXT

/* makecontext passes ints. */
static void coop_context_begin(unsigned high, unsigned low)
{
    struct coop_context *c = (struct coop_context *)((uintptr_t)high << 16 << 16 | low);
#ifdef COOP_ANNOTATED
    coop_context_arrive(c, c->pass);
#else
    c->entry(c->arg, c->pass);
#endif
    __builtin_trap();
}

static void begin(struct coop_context *c, void *low, size_t size,
                  void (*entry)(void *arg, void *pass), void *arg)
{
    uintptr_t at = (uintptr_t)c;
    c->entry = entry;
    c->arg = arg;
    getcontext(&c->saved);
    c->saved.uc_stack.ss_sp = low;
    c->saved.uc_stack.ss_size = size;
    c->saved.uc_link = NULL;
    makecontext(&c->saved, (void (*)(void))coop_context_begin, 2,
                (unsigned)(at >> 16 >> 16), (unsigned)at);
}

void *coop_swap_(struct coop_context **self, struct coop_context **other, void *pass)
{
    struct coop_context *from = *self, *to = *other;
    to->came = from;
    to->pass = pass;
    swapcontext(&from->saved, &to->saved);
    *other = from->came;
    return from->pass;
}

#else

extern const char coop_context_start[] __attribute__((visibility("hidden")));

/* start.S calls the one with the other. */
struct first_words {
    void (*entry)(void *arg, void *pass);
    void *arg;
};

static void begin(struct coop_context *c, void *low, size_t size,
                  void (*entry)(void *arg, void *pass), void *arg)
{
    uintptr_t top = ((uintptr_t)low + size) & -(uintptr_t)COOP_STACK_ALIGN;
    struct first_words *words = (struct first_words *)top - 1;
#ifdef COOP_ANNOTATED
    c->entry = entry;
    c->arg = arg;
    *words = (struct first_words){ coop_context_arrive, c };
#else
    *words = (struct first_words){ entry, arg };
#endif
    c->sp = words;
    c->fp = NULL;
    c->pc = coop_context_start;
    coop_save_control_(c);
}

#endif

void coop_context_make(struct coop_context *c, void *low, size_t size,
                       void (*entry)(void *arg, void *pass), void *arg)
{
    coop_tell_empty(low, size);
    c->valgrind = coop_tell_stack(low, size);
    coop_note_make(&c->note, low, size);
    begin(c, low, size, entry, arg);
}

void coop_context_end(struct coop_context *c)
{
    coop_tell_no_stack(c->valgrind);
    coop_note_end(&c->note);
}
