/* scan.c - reading all that this process can write to, to find out whether an address stands
   anywhere in it. Through the host, which copies what is there and says what is not, since
   other threads may release memory meanwhile. */
#include "config.h"

#include "machine/machine.h"

#include <errno.h>

/* The shadow memory of a sanitizer is too large to be read. */
#if defined HAVE_PROCESS_VM_READV && !defined COOP_SANITIZED

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PAGES = 16 };

struct reader {
    coop_memory_fn *visit;
    void *arg;
    uintptr_t *copy;
    int pagemap;                   /* -1: pages that were never used are read too */
    uintptr_t page;
};

/* Which of n pages are there, in memory or swapped out. */
static unsigned there(const struct reader *r, uintptr_t at, size_t n)
{
    uint64_t entries[PAGES];
    off_t from = (off_t)(at / r->page * sizeof *entries);
    unsigned bits = 0;
    if (r->pagemap < 0
        || pread(r->pagemap, entries, n * sizeof *entries, from) != (ssize_t)(n * sizeof *entries))
        return ~0u;
    for (size_t i = 0; i < n; i++)
        if (entries[i] >> 62)
            bits |= 1u << i;
    return bits;
}

static void read_page(const struct reader *r, uintptr_t at, uintptr_t end)
{
    struct iovec to = { r->copy, COOP_COPY_SIZE }, from = { (void *)at, end - at };
    ssize_t n = process_vm_readv(getpid(), &to, 1, &from, 1, 0);
    if (n > 0)
        r->visit(r->arg, at, r->copy, (size_t)n / sizeof *r->copy);
}

static void read_range(const struct reader *r, uintptr_t from, uintptr_t to)
{
    for (uintptr_t at = from; at < to; at += PAGES * r->page) {
        size_t n = (to - at) / r->page < PAGES ? (to - at) / r->page : PAGES;
        unsigned bits = there(r, at, n);
        for (size_t i = 0; i < n; i++)
            if (bits >> i & 1)
                for (size_t part = 0; part < r->page; part += COOP_COPY_SIZE)
                    read_page(r, at + i * r->page + part,
                              at + i * r->page + part + COOP_COPY_SIZE);
    }
}

/* What this thread's stack has below its end is left over from calls that have returned. */
static uintptr_t used_from(const struct reader *r, uintptr_t from, uintptr_t to)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0) / r->page * r->page;
    return here > from && here < to ? here : from;
}

int coop_read_memory(coop_memory_fn *visit, void *arg, uintptr_t *copy)
{
    char line[512], rights[8];
    unsigned long long from, to;
    FILE *maps = fopen("/proc/self/maps", "re");
    if (!maps)
        return -errno;
    struct reader r = {
        visit, arg, copy, open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC),
        (uintptr_t)sysconf(_SC_PAGESIZE)
    };
    while (fgets(line, sizeof line, maps))
        if (sscanf(line, "%llx-%llx %7s", &from, &to, rights) == 3 && rights[1] == 'w'
            && to <= UINTPTR_MAX && !strstr(line, "[v"))
            read_range(&r, used_from(&r, (uintptr_t)from, (uintptr_t)to), (uintptr_t)to);
    if (r.pagemap >= 0)
        close(r.pagemap);
    fclose(maps);
    return 0;
}

#else

int coop_read_memory(coop_memory_fn *visit, void *arg, uintptr_t *copy)
{
    (void)visit;
    (void)arg;
    (void)copy;
    return -ENOSYS;
}

#endif
