/* peak.c - how much of a stack was ever used. A page that was never touched is not there,
   and to look at it would not tell more; of the lowest one that is there the first word that
   is not zero is where the stack ended at its deepest. */
#include "config.h"

#include "fiber/fiber.h"
#include "machine/memory.h"

#include <string.h>

enum { AT_ONCE = 256 };            /* pages asked for */

/* Walks the parts of a stack whose pages are there, upwards, until visit returns true. */
static void each_touched(const struct coop_stack *s, bool (*visit)(char *, char *, void *),
                         void *arg)
{
    size_t page = coop_page_size();
    char *end = s->low + s->size;
    char *at = s->low - (uintptr_t)s->low % page;
    unsigned char there[AT_ONCE];
    while (at < end) {
        size_t pages = ((size_t)(end - at) + page - 1) / page;
        if (pages > AT_ONCE)
            pages = AT_ONCE;
        if (coop_resident(at, pages * page, there) < 0)
            memset(there, 1, sizeof there);
        for (size_t i = 0; i < pages; i++, at += page)
            if ((there[i] & 1)
                && visit(at < s->low ? s->low : at, at + page > end ? end : at + page, arg))
                return;
    }
}

COOP_UNCHECKED static bool find_used(char *from, char *to, void *arg)
{
    while (from < to && *from == 0)
        from++;
    if (from < to)
        *(char **)arg = from;
    return from < to;
}

size_t coop_stack_peak(const struct coop_stack *s)
{
    char *end = s->low + s->size, *lowest = end;
    coop_tell_looking(true);
    each_touched(s, find_used, &lowest);
    coop_tell_looking(false);
    return (size_t)(end - lowest);
}

static bool clear(char *from, char *to, void *arg)
{
    (void)arg;
    memset(from, 0, (size_t)(to - from));
    return false;
}

void coop_stack_clear(struct coop_stack *s)
{
    coop_tell_empty(s->low, s->size);
    each_touched(s, clear, NULL);
}
