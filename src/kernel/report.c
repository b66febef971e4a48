/* report.c - what the kernel has to say to people. */
#include "kernel/kernel.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void coop_report_text(coop_sched *s, const char *text)
{
    if (s && s->report)
        s->report(s->arg, text);
    else
        coop_say(2, text, strlen(text));
}

void coop_report(coop_sched *s, const char *format, ...)
{
    char line[512] = "coop: ";
    va_list args;
    va_start(args, format);
    vsnprintf(line + 6, sizeof line - 7, format, args);
    va_end(args);
    strcat(line, "\n");
    coop_report_text(s, line);
}
