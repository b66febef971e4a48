/* trace.c - every event as a line, in the manner of strace. Without the time no line depends on
   anything but the program and its inputs, so two runs can be compared. */
#include "observer/observer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void heading(const coop_event *e, coop_text *text)
{
    coop_print(text, e->system ? "%6llu [%td [%s]] " : "%6llu [%td %s] ",
               (unsigned long long)e->step, e->tid, e->name);
}

static void place(const coop_event *e, coop_text *text)
{
    coop_print(text, e->line ? "  at %s:%d" : "  at %s", e->file, e->line);
}

void coop_trap_text(const coop_event *e, coop_text *text)
{
    heading(e, text);
    coop_call_text(e->call, NULL, text);
    coop_print(text, "?");
    place(e, text);
}

static void ending(const coop_event *e, coop_text *text)
{
    if (e->status.end >= COOP_KILLED) {
        bool killed = e->status.end == COOP_KILLED;
        coop_print(text, "- %s by %td", killed ? "killed" : "cancelled", e->status.by);
        coop_print_why(e->status.why, text);
        return;
    }
    coop_print(text, e->status.end == COOP_OK ? "- returned " : "- failed ");
    coop_result_text(e->status.value, text);
}

void coop_event_text(const coop_event *e, coop_text *text)
{
    if (!e || !text || e->kind == COOP_RUN || e->kind == COOP_TRAP)
        return;
    heading(e, text);
    if (e->kind == COOP_SPAWN) {
        coop_print(text, "+ spawned by %td", e->other);
    } else if (e->kind == COOP_RESULT) {
        coop_call_text(e->call, &e->value, text);
    } else if (e->kind == COOP_BLOCK) {
        coop_call_text(e->call, NULL, text);
        coop_print(text, " ...");
    } else if (e->kind == COOP_WAKE) {
        coop_print(text, "... ");
        coop_call_text(e->call, &e->value, text);
        if (e->other)
            coop_print(text, "  by %td", e->other);
    } else if (e->kind == COOP_UNDO) {
        coop_print(text, "... ");
        coop_call_text(e->call, NULL, text);
        coop_print(text, " undone");
    } else if (e->kind == COOP_PASS) {
        coop_print(text, "yield ");
        coop_result_text(e->value, text);
    } else {
        ending(e, text);
        return;
    }
    place(e, text);
}

struct trace {
    coop_observer face;
    coop_sched *sched;
    struct coop_trace_words words;
    int out;
    int64_t began;
};

static void event(coop_observer *o, const coop_event *e)
{
    struct trace *t = (struct trace *)o;
    char line[1024];
    coop_text text = { .data = line, .size = sizeof line - 1 };
    if (e->kind == COOP_TRAP || (e->system && !t->words.system)
        || (e->kind == COOP_RUN && !t->words.run))
        return;
    if (t->words.time) {
        int64_t us = (coop_clock(t->sched) - t->began) / 1000;
        coop_print(&text, "%5lld.%06lld ", (long long)(us / 1000000), (long long)(us % 1000000));
    }
    if (e->kind == COOP_RUN) {
        heading(e, &text);
        coop_print(&text, "runs");
    } else {
        coop_event_text(e, &text);
    }
    line[text.used++] = '\n';
    coop_say(t->out, line, text.used);
}

static void release(coop_observer *o)
{
    struct trace *t = (struct trace *)o;
    coop_close_log(t->out);
    free(t);
}

static bool parse_word(struct coop_trace_words *w, const char *word, size_t len)
{
    static const struct { const char *name; size_t at; } flags[] = {
        { "1", offsetof(struct coop_trace_words, trace) },
        { "step", offsetof(struct coop_trace_words, step) },
        { "time", offsetof(struct coop_trace_words, time) },
        { "run", offsetof(struct coop_trace_words, run) },
        { "system", offsetof(struct coop_trace_words, system) },
    };
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (strlen(flags[i].name) == len && !memcmp(word, flags[i].name, len)) {
            *(bool *)((char *)w + flags[i].at) = true;
            return true;
        }
    char *path = !strncmp(word, "file=", 5) ? w->out : !strncmp(word, "in=", 3) ? w->in : NULL;
    size_t skip = path == w->out ? 5 : 3;
    if (!path || len <= skip || len - skip >= sizeof w->out)
        return false;
    memcpy(path, word + skip, len - skip);
    path[len - skip] = '\0';
    return true;
}

static int parse(coop_sched *s, const char *words, struct coop_trace_words *w)
{
    while (*words) {
        size_t len = strcspn(words, ",");
        if (len && !parse_word(w, words, len)) {
            coop_report(s, "COOP_TRACE: unknown word '%.*s'; it knows 1, step, time, run, "
                        "system, file=PATH, in=PATH", (int)len, words);
            return -EINVAL;
        }
        words += len + (words[len] == ',');
    }
    return 0;
}

static int open_trace(coop_sched *s, const struct coop_trace_words *words, int out)
{
    struct trace *t = malloc(sizeof *t);
    if (!t)
        return -ENOMEM;
    *t = (struct trace){ { event, release, NULL }, s, *words, out, coop_clock(s) };
    return coop_observe(&t->face);
}

int coop_trace_open(coop_sched *s, const char *text)
{
    struct coop_trace_words words = { 0 };
    int fd = 2;
    if (!text || !*text || !strcmp(text, "0"))
        return 0;
    int r = parse(s, text, &words);
    if (r < 0)
        return r;
    if (words.out[0] && (fd = coop_open_log(words.out, true)) < 0) {
        coop_report(s, "COOP_TRACE: cannot write to %s: %s", words.out, strerror(-fd));
        return -EINVAL;
    }
    r = words.step ? coop_step_open(s, &words, fd) : open_trace(s, &words, fd);
    if (r < 0)
        coop_close_log(fd);
    return r;
}
