/* stacks.c - memory for stacks, from the host. */
#include "config.h"

#include "machine/memory.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

/* Linux's numbers, which its own headers have only since then. */
#ifdef __linux__
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif
#endif

#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif
#ifndef MAP_STACK
#define MAP_STACK 0
#endif

size_t coop_page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* Large pages would make a stack that uses 4 KiB take 2 MiB. */
void *coop_map(size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (at == MAP_FAILED)
        return NULL;
#ifdef MADV_NOHUGEPAGE
    madvise(at, size, MADV_NOHUGEPAGE);
#endif
    return at;
}

void coop_unmap(void *at, size_t size)
{
    munmap(at, size);
}

/* Advice that is not known may also be taken for granted (emulators do): only a page that
   cannot be read shows that there are marks. */
int coop_mark(void *at, size_t size)
{
#ifdef MADV_GUARD_INSTALL
    static atomic_int known;       /* 1: there are, -1: there are not */
    if (known < 0)
        return -ENOSYS;
    if (madvise(at, size, MADV_GUARD_INSTALL) < 0)
        return -errno;
    if (!known)
        known = madvise(at, size, MADV_POPULATE_READ) < 0 && errno == EFAULT ? 1 : -1;
    return known > 0 ? 0 : -ENOSYS;
#else
    (void)at, (void)size;
    return -ENOSYS;
#endif
}

int coop_wall(void *at, size_t size)
{
    return mprotect(at, size, PROT_NONE) < 0 ? -errno : 0;
}

int coop_discard(void *at, size_t size)
{
    return madvise(at, size, MADV_DONTNEED) < 0 ? -errno : 0;
}

int coop_resident(void *at, size_t size, unsigned char *pages)
{
    return mincore(at, size, pages) < 0 ? -errno : 0;
}
