/* macros.h - part of coop.h: what the macros are made of; names that end in an underscore. */
#ifndef COOP_MACROS_H_
#define COOP_MACROS_H_
#ifndef COOP_H
#error "include <coop.h>, which has this part"
#endif

/* ---- What the macros are made of ------------------------------------------------- */

/* What a routine's code gives. A struct, so that the compiler refuses a plain return. */
typedef struct coop_use_coop_return_ { coop_step step; } coop_use_coop_return_;

enum { COOP_FINALLY_ = -1, COOP_END_ = -2 };    /* lines that no source has */
enum { COOP_UNWINDS_ = 1 };                     /* of fate: from where it stands */
enum { COOP_CLEANS_ = 1 };                      /* of a frame's flags */

#if defined __clang__ || __GNUC__ >= 7
#define COOP_FALLTHROUGH_ __attribute__((fallthrough))
#else
#define COOP_FALLTHROUGH_ ((void)0)
#endif

#define COOP_STR2_(x) #x
#define COOP_STR_(x) COOP_STR2_(x)
#define COOP_HERE_ __FILE__ ":" COOP_STR_(__LINE__)

#define COOP_CODE_(STATIC, NAME)                                                    \
    static coop_use_coop_return_ NAME##_code_(coop_coroutine *, struct NAME *);     \
    static coop_step NAME##_resume_(coop_coroutine *self_, void *frame_)            \
    {                                                                               \
        return NAME##_code_(self_, frame_).step;                                    \
    }                                                                               \
    STATIC const coop_routine NAME##_routine = {                                    \
        #NAME, __FILE__, sizeof(struct NAME), NAME##_resume_, 0                     \
    };                                                                              \
    _Static_assert(_Alignof(struct NAME) <= _Alignof(max_align_t),                  \
                   "members of a routine are not aligned to more than max_align_t");\
    static coop_use_coop_return_ NAME##_code_(coop_coroutine *self_, struct NAME *my)

/* The first frame is filled in where it will stay. */
#define COOP_FILL_(NAME, FRAME, ...)                                                \
    *(struct NAME *)(FRAME) = (struct NAME){                                        \
        .coop_.routine = &NAME##_routine, __VA_ARGS__                               \
    }
#define COOP_NEW_(WHAT, NAME, ...)                                                  \
    __extension__({                                                                 \
        coop_frame *new_##NAME = coop_make_(&NAME##_routine, COOP_HERE_);           \
        if (new_##NAME)                                                             \
            COOP_FILL_(NAME, new_##NAME, __VA_ARGS__);                              \
        WHAT(new_##NAME);                                                           \
    })

#define COOP_STOP_(STEP)                                                            \
    my->coop_.line = __LINE__;                                                      \
    return (coop_use_coop_return_){ STEP }
#define COOP_RESUME_(DEST)                                                          \
    COOP_FALLTHROUGH_;                                                              \
    case __LINE__: DEST = (__typeof__(DEST))coop_answer_(self_);                    \
    if (__builtin_expect(self_->fate == COOP_UNWINDS_, 0) && !self_->cleaning) { \
        my->coop_.result = -ECANCELED;                                              \
        my->coop_.line = coop_exit_;                                                \
        goto coop_again_;                                                           \
    }                                                                               \
    (void)0

/* A trap with an object that is more than one call: TYPE, and what fills *call_ in. */
#define COOP_TRAP_OBJECT_(DEST, TYPE, ...)                                          \
    do {                                                                            \
        TYPE *call_ = coop_push_(self_, sizeof *call_, _Alignof(max_align_t));      \
        if (call_) {                                                                \
            __VA_ARGS__;                                                            \
            self_->call = &call_->whole.base;                                       \
            COOP_STOP_(COOP_TRAPPED);                                               \
        }                                                                           \
        COOP_RESUME_(DEST);                                                         \
    } while (0)

/* M(n, NAME, arguments, LAST) for each of up to eight "(NAME, arguments)". */
#define COOP_COUNT_(...) COOP_NINTH_(__VA_ARGS__, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define COOP_NINTH_(a, b, c, d, e, f, g, h, N, ...) N
#define COOP_PASTE_(a, b, c) COOP_PASTE2_(a, b, c)
#define COOP_PASTE2_(a, b, c) a##b##c
#define COOP_EACH_(M, LAST, ...)                                                    \
    COOP_PASTE_(COOP_EACH, COOP_COUNT_(__VA_ARGS__), _)(M, LAST, __VA_ARGS__)
#define COOP_ONE_(M, n, p, LAST) COOP_ONE2_(M, n, COOP_BARE_ p, LAST)
#define COOP_ONE2_(M, ...) M(__VA_ARGS__)
#define COOP_BARE_(...) __VA_ARGS__
#define COOP_EACH1_(M, L, a) COOP_ONE_(M, 0, a, L)
#define COOP_EACH2_(M, L, a, b) COOP_EACH1_(M, L, a) COOP_ONE_(M, 1, b, L)
#define COOP_EACH3_(M, L, a, b, c) COOP_EACH2_(M, L, a, b) COOP_ONE_(M, 2, c, L)
#define COOP_EACH4_(M, L, a, b, c, d) COOP_EACH3_(M, L, a, b, c) COOP_ONE_(M, 3, d, L)
#define COOP_EACH5_(M, L, a, b, c, d, e) COOP_EACH4_(M, L, a, b, c, d) COOP_ONE_(M, 4, e, L)
#define COOP_EACH6_(M, L, a, b, c, d, e, f)                                         \
    COOP_EACH5_(M, L, a, b, c, d, e) COOP_ONE_(M, 5, f, L)
#define COOP_EACH7_(M, L, a, b, c, d, e, f, g)                                      \
    COOP_EACH6_(M, L, a, b, c, d, e, f) COOP_ONE_(M, 6, g, L)
#define COOP_EACH8_(M, L, a, b, c, d, e, f, g, h)                                   \
    COOP_EACH7_(M, L, a, b, c, d, e, f, g) COOP_ONE_(M, 7, h, L)

#define COOP_PART_MEMBER_(n, CALL, ...) struct coop_##CALL part##n;
#define COOP_PART_FILL_(n, CALL, ...)                                               \
    call_->part##n = (struct coop_##CALL){ __VA_ARGS__ };                           \
    call_->part##n.base.type = &coop_##CALL##_type;                                 \
    call_->parts[n] = &call_->part##n.base;

#define COOP_CREATE_PART_(n, ...) [n] = COOP_CREATE_(__VA_ARGS__),

void *coop_push_slow_(coop_coroutine *co, size_t size, size_t align) __attribute__((cold));
coop_step coop_stray_(coop_coroutine *co, coop_frame *frame);
bool coop_leave_(coop_coroutine *co, coop_frame *frame) __attribute__((cold));
coop_frame *coop_make_(const coop_routine *, const char *here);
void *coop_fiber_push_(size_t size, size_t align, const char *what);
coop_value coop_fiber_trap_(coop_call *call, size_t size, const char *what);
coop_value coop_call_few_(const struct coop_gather *, const char *what);
coop_value coop_fiber_call_(const coop_routine *, coop_frame *frame);
coop_coroutine *coop_create_(const coop_routine *, const char *here);
coop_tid coop_spawn_(coop_frame *);
coop_value coop_main_(coop_frame *);
int coop_submit_(coop_door *door, coop_frame *);

static inline void *coop_push_(coop_coroutine *co, size_t size, size_t align)
{
    uintptr_t at = (uintptr_t)co->sp;
    if (align > _Alignof(coop_frame))
        at = (at + (align - 1)) & ~(uintptr_t)(align - 1);
    if (__builtin_expect(at + size > (uintptr_t)co->limit, 0))
        return coop_push_slow_(co, size, align);
    co->sp = (char *)(at + size);
    if (at == 0)
        __builtin_unreachable();   /* so that the caller need not look again */
    return (char *)at;
}

static inline void coop_enter_(coop_coroutine *co, const coop_routine *r, coop_frame *frame)
{
    frame->routine = r;
    frame->caller = co->top;
    co->top = frame;
}

static inline void coop_clean_(coop_coroutine *co, coop_frame *frame)
{
    frame->flags = COOP_CLEANS_;
    co->cleaning++;
}

static inline coop_value coop_answer_(const coop_coroutine *co)
{
    return co->value;
}

#endif
