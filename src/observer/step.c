/* step.c - the stepper: stops before each trap and asks a person, or a script, what next. */
#include "observer/observer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BREAKS = 32, LINE = 128 };

struct step {
    coop_observer face;
    coop_sched *sched;
    int out, in;
    bool system;
    enum { STEP, NEXT, GO, OVER } mode;
    coop_tid next;                 /* NEXT: whose trap */
    char last[LINE];               /* repeated by an empty line */
    char breaks[MOST_BREAKS][64];  /* "": free */
};

static void flush(coop_text *text)
{
    coop_say(*(const int *)text->arg, text->data, text->used);
    text->used = 0;
}

coop_text coop_text_to(char *data, size_t size, const int *fd)
{
    return (coop_text){ .data = data, .size = size, .flush = flush, .arg = (void *)fd };
}

static bool hits(const char *at, const coop_event *e)
{
    char where[320], tid[24];
    coop_text place = { .data = where, .size = sizeof where };
    coop_text number = { .data = tid, .size = sizeof tid };
    coop_print(&place, "%s:%d", e->file, e->line);
    coop_print(&number, "%td", e->tid);
    return *at && (!strcmp(at, e->call->type->name) || !strcmp(at, e->name)
                   || !strcmp(at, tid) || !strcmp(at, where));
}

static bool at_break(const struct step *w, const coop_event *e)
{
    for (int i = 0; i < MOST_BREAKS; i++)
        if (hits(w->breaks[i], e))
            return true;
    return false;
}

static void list_breaks(const struct step *w, coop_text *out)
{
    int n = 0;
    for (int i = 0; i < MOST_BREAKS; i++)
        if (w->breaks[i][0]) {
            coop_print(out, "%d: %s\n", i + 1, w->breaks[i]);
            n++;
        }
    if (!n)
        coop_print(out, "no breaks\n");
}

static void set_break(struct step *w, const char *at, coop_text *out)
{
    int i = 0;
    while (i < MOST_BREAKS && w->breaks[i][0])
        i++;
    if (i == MOST_BREAKS || strlen(at) >= sizeof w->breaks[i]) {
        coop_print(out, i == MOST_BREAKS ? "no more than %d breaks\n" : "too long\n", MOST_BREAKS);
        return;
    }
    strcpy(w->breaks[i], at);
    coop_print(out, "break %d at %s\n", i + 1, at);
}

static void drop_break(struct step *w, const char *number, coop_text *out)
{
    long n = strtol(number, NULL, 10);
    if (n < 1 || n > MOST_BREAKS || !w->breaks[n - 1][0]) {
        coop_print(out, "no such break: '%s'\n", number);
        return;
    }
    w->breaks[n - 1][0] = '\0';
}

static void show_ready(coop_text *out)
{
    coop_value n = coop_ready_tasks(NULL, 0);
    coop_tid *tids = malloc(((size_t)n + 1) * sizeof *tids);
    coop_info info;
    if (!tids) {
        coop_print(out, "out of memory\n");
        return;
    }
    coop_ready_tasks(tids, (size_t)n);
    for (coop_value i = 0; i < n; i++)
        if (coop_inspect(tids[i], &info) == 0)
            coop_print(out, info.system ? "%s%td [%s]" : "%s%td %s", i ? ", " : "", info.tid,
                       info.name);
    coop_print(out, n ? "\n" : "no task is ready\n");
    free(tids);
}

static bool let_run(struct step *w, coop_tid tid, coop_text *out)
{
    coop_info info;
    if (coop_inspect(tid, &info) < 0 || info.state != COOP_READY || info.system) {
        coop_print(out, "no ready task has that number; see 'ready'\n");
        return false;
    }
    coop_let_first(w->sched, tid);
    w->mode = STEP;
    return true;
}

static const char help[] =
    "step            to the next trap of any task\n"
    "next            to this task's next trap, or its end\n"
    "continue        to the next break\n"
    "break AT        stop at a call, tid, task name or file:line; alone: list\n"
    "delete N        remove break N\n"
    "ps              all tasks\n"
    "bt [TID]        the call stack of a task\n"
    "ready           the ready queue, in the order in which it will run\n"
    "run TID         put this trap off and let that ready task go first\n"
    "quit            end all tasks and the run; this trap is not made\n"
    "An empty line repeats the last command; s, n, c, b, d, r, q and h are short forms.\n"
    "At the end of the input the program goes on by itself.\n";

static bool is(const char *word, const char *name)
{
    return !strcmp(word, name) || (word[0] == name[0] && !word[1] && name[0] != 'p');
}

/* Obey one command; true: the program goes on. */
static bool obey(struct step *w, const coop_event *e, const char *word, const char *arg,
                 coop_text *out)
{
    if (is(word, "step")) {
        w->mode = STEP;
    } else if (is(word, "next")) {
        w->mode = NEXT;
        w->next = e->tid;
    } else if (is(word, "continue")) {
        w->mode = GO;
    } else if (is(word, "quit")) {
        w->mode = OVER;
        coop_let_first(w->sched, e->tid);           /* which puts this trap off for ever */
        coop_stop(w->sched, -ECANCELED);
    } else if (is(word, "run")) {
        return let_run(w, strtol(arg, NULL, 10), out);
    } else {
        if (is(word, "break") && !*arg)
            list_breaks(w, out);
        else if (is(word, "break"))
            set_break(w, arg, out);
        else if (is(word, "delete"))
            drop_break(w, arg, out);
        else if (!strcmp(word, "ps"))
            coop_ps(out);
        else if (!strcmp(word, "bt")) {
            if (coop_bt(*arg ? strtol(arg, NULL, 10) : e->tid, out) < 0)
                coop_print(out, "no such task: %s\n", arg);
        } else if (!strcmp(word, "ready"))
            show_ready(out);
        else if (is(word, "help"))
            coop_print(out, "%s", help);
        else
            coop_print(out, "unknown command '%s'; see 'help'\n", word);
        return false;
    }
    return true;
}

static char *trim(char *text)
{
    char *end = text + strlen(text);
    while (end > text && strchr(" \t\r", end[-1]))
        end--;
    *end = '\0';
    return text + strspn(text, " \t\r");
}

/* Ask until a command lets the program go on. At the end of the input nobody is left to ask. */
static void ask(struct step *w, const coop_event *e)
{
    char line[LINE], buf[1024];
    coop_text out = coop_text_to(buf, sizeof buf, &w->out);
    bool go_on = false;
    while (!go_on) {
        coop_say(w->out, "(coop) ", 7);
        if (coop_ask(w->in, line, sizeof line) < 0) {
            coop_print(&out, "\n");
            w->mode = OVER;
            go_on = true;
        } else {
            char *word = trim(line);
            if (*word)
                strcpy(w->last, word);
            else
                word = strcpy(line, w->last);
            if (!coop_terminal(w->in))
                coop_print(&out, "%s\n", word);
            char *arg = word + strcspn(word, " \t");
            if (*arg)
                *arg++ = '\0';
            go_on = obey(w, e, word, trim(arg), &out);
        }
        flush(&out);
    }
}

/* Behind what the program itself has printed so far. */
static void show(const struct step *w, const coop_event *e)
{
    char line[1024];
    coop_text text = { .data = line, .size = sizeof line - 1 };
    fflush(stdout);
    if (e->kind == COOP_TRAP)
        coop_trap_text(e, &text);
    else
        coop_event_text(e, &text);
    line[text.used++] = '\n';
    coop_say(w->out, line, text.used);
}

static void event(coop_observer *o, const coop_event *e)
{
    struct step *w = (struct step *)o;
    if (w->mode == OVER || e->kind == COOP_RUN || (e->system && !w->system))
        return;
    bool asked_for = w->mode == STEP || (w->mode == NEXT && w->next == e->tid);
    if (e->kind != COOP_TRAP && asked_for) {
        show(w, e);
        if (e->kind == COOP_EXIT)
            w->mode = STEP;
    } else if (e->kind == COOP_TRAP && (asked_for || at_break(w, e))) {
        show(w, e);
        ask(w, e);
    }
}

static void release(coop_observer *o)
{
    struct step *w = (struct step *)o;
    coop_close_log(w->out);
    coop_close_log(w->in);
    free(w);
}

int coop_step_open(coop_sched *s, const struct coop_trace_words *words, int out)
{
    struct step *w = calloc(1, sizeof *w);
    if (!w)
        return -ENOMEM;
    w->face = (coop_observer){ event, release, NULL };
    w->sched = s;
    w->out = out;
    w->system = words->system;
    strcpy(w->last, "step");
    if (words->in[0] && (w->in = coop_open_log(words->in, false)) < 0) {
        coop_report(s, "COOP_TRACE: cannot read %s: %s", words->in, strerror(-w->in));
        free(w);
        return -EINVAL;
    }
    return coop_observe(&w->face);
}
