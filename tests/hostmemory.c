/* hostmemory.c - a pool of stacks on the host's memory, whose calls fail when asked to. */
#include "config.h"

#include "hostmemory.h"

#include <CUnit/CUnit.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

static int left[CALLS] = { -1, -1, -1, -1, -1 };       /* until it fails; -1: it does not */
int refused;
bool once;

static bool refuse(int call)
{
    bool fails = left[call] == 0;
    refused += fails;
    if (left[call] > 0 || (fails && once))
        left[call]--;
    return fails;
}

void fail_after(int call, int n)
{
    left[call] = n;
    refused = 0;
}

void fail_none(void)
{
    once = false;
    for (int i = 0; i < CALLS; i++)
        left[i] = -1;
}

void *__real_malloc(size_t);
void *__real_calloc(size_t, size_t);
void *__real_mmap(void *, size_t, int, int, int, off_t);
int __real_madvise(void *, size_t, int);
int __real_mprotect(void *, size_t, int);
int __real_mincore(void *, size_t, unsigned char *);
void *__wrap_malloc(size_t);
void *__wrap_calloc(size_t, size_t);
void *__wrap_mmap(void *, size_t, int, int, int, off_t);
int __wrap_madvise(void *, size_t, int);
int __wrap_mprotect(void *, size_t, int);
int __wrap_mincore(void *, size_t, unsigned char *);

void *__wrap_malloc(size_t size)
{
    return refuse(MALLOC) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return refuse(MALLOC) ? NULL : __real_calloc(n, size);
}

static int failed(int error)
{
    errno = error;
    return -1;
}

void *__wrap_mmap(void *at, size_t size, int rights, int flags, int fd, off_t offset)
{
    if (!refuse(MMAP))
        return __real_mmap(at, size, rights, flags, fd, offset);
    failed(ENOMEM);
    return MAP_FAILED;
}

int __wrap_madvise(void *at, size_t size, int advice)
{
    bool mark = advice == 102;
    return mark && refuse(MARK) ? failed(EINVAL) : __real_madvise(at, size, advice);
}

int __wrap_mprotect(void *at, size_t size, int rights)
{
    return refuse(WALL) ? failed(ENOMEM) : __real_mprotect(at, size, rights);
}

int __wrap_mincore(void *at, size_t size, unsigned char *pages)
{
    return refuse(RESIDENT) ? failed(EAGAIN) : __real_mincore(at, size, pages);
}

struct coop_stacks *pool_with(struct coop_stacks_options options)
{
    struct coop_stacks *p = coop_stacks_new(&options);
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    return p;
}

struct coop_stacks *plain_pool(void)
{
    return pool_with((struct coop_stacks_options){ 0 });
}

struct coop_stack *take(struct coop_stacks *p, size_t size)
{
    struct coop_stack *s = NULL;
    CU_ASSERT_EQUAL_FATAL(coop_stack_take(p, size, &s), 0);
    return s;
}

struct coop_stacks_count count_of(const struct coop_stacks *p)
{
    struct coop_stacks_count count;
    coop_stacks_counted(p, &count);
    return count;
}

bool zeros(const char *at, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (at[i])
            return false;
    return true;
}
