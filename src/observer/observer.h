/* observer.h - the built-in observers. */
#ifndef COOP_OBSERVER_H
#define COOP_OBSERVER_H

#include "kernel/kernel.h"

#pragma GCC visibility push(hidden)

/* What COOP_TRACE asks for; words separated by commas. */
struct coop_trace_words {
    bool trace, step, time, run, system;
    char out[256], in[256];        /* paths, or empty */
};

int coop_trace_open(coop_sched *, const char *words);       /* NULL or "": nothing */
int coop_step_open(coop_sched *, const struct coop_trace_words *, int out);

/* What options->slow or, where that is 0, a word of COOP_SLOW asks for. -EINVAL: there is no
   such word. Where no watchdog is to be had there is none; who asked for one is told so. */
int coop_watchdog_open(coop_sched *, const coop_options *, const char *word);
void coop_watchdog_close(coop_sched *);

/* A trap that is about to be made, as a question; coop_event_text has nothing for it. */
void coop_trap_text(const coop_event *, coop_text *);

/* A text whose flush writes to a descriptor. */
coop_text coop_text_to(char *data, size_t size, const int *fd);

#pragma GCC visibility pop

#endif
