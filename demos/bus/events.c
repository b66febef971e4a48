/* events.c - expat, which calls what it is told to while it parses. */
#include "buses.h"

#include <errno.h>
#include <expat.h>
#include <string.h>

struct sink {
    event_fn *handle;
    void *arg;
};

static void tell(const struct sink *s, int kind, const char *text, size_t length)
{
    struct event e = { .kind = kind };
    memcpy(e.text, text, length);
    s->handle(s->arg, &e);
}

static size_t at_most(size_t length)
{
    size_t most = sizeof ((struct event *)0)->text - 1;
    return length < most ? length : most;
}

static void on_start(void *sink, const char *name, const char **attributes)
{
    (void)attributes;
    tell(sink, START, name, at_most(strlen(name)));
}

static void on_text(void *sink, const char *text, int length)
{
    for (size_t left = (size_t)length, n; left; left -= n, text += n)
        tell(sink, TEXT, text, n = at_most(left));
}

static void on_end(void *sink, const char *name)
{
    tell(sink, END, name, at_most(strlen(name)));
}

coop_value parse(part_fn *next, void *from, event_fn *handle, void *arg)
{
    char part[PART];
    coop_value n;
    struct sink sink = { handle, arg };
    XML_Parser parser = XML_ParserCreate(NULL);
    if (!parser)
        return -ENOMEM;
    XML_SetUserData(parser, &sink);
    XML_SetElementHandler(parser, on_start, on_end);
    XML_SetCharacterDataHandler(parser, on_text);
    do {
        n = next(from, part, sizeof part);
        if (n >= 0 && XML_Parse(parser, part, (int)n, n == 0) != XML_STATUS_OK)
            n = -EILSEQ;
    } while (n > 0);
    XML_ParserFree(parser);
    return n;
}
