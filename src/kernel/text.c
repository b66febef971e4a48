/* text.c - putting texts together. Only what is longer than a line takes memory for that. */
#include "kernel/kernel.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Thread_local bool coop_crashing COOP_TLS;

static void put(coop_text *text, const char *from, size_t len)
{
    while (len) {
        size_t room = text->size - text->used - 1;
        if (!room && text->used && text->flush) {
            text->flush(text);
            continue;
        }
        size_t n = len < room ? len : room;
        if (!n) {
            text->cut = true;
            break;
        }
        memcpy(text->data + text->used, from, n);
        text->used += n;
        from += n;
        len -= n;
    }
    text->data[text->used] = '\0';
}

void coop_print(coop_text *text, const char *format, ...)
{
    char line[512], *all = line;
    va_list args;
    if (!text || !text->data || !text->size)
        return;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (n >= (int)sizeof line) {
        all = coop_crashing ? NULL : malloc((size_t)n + 1);
        if (all) {
            va_start(args, format);
            vsnprintf(all, (size_t)n + 1, format, args);
            va_end(args);
        } else {
            all = line;
            n = sizeof line - 1;
            text->cut = true;
        }
    }
    if (n >= 0)
        put(text, all, (size_t)n);
    if (all != line)
        free(all);
}

void coop_print_bytes(coop_text *text, const void *bytes, size_t len)
{
    const unsigned char *b = bytes;
    if (!coop_can_read(b, len < 32 ? len : 32)) {
        coop_print(text, b ? "%p" : "NULL", bytes);
        return;
    }
    coop_print(text, "\"");
    for (size_t i = 0; i < len && i < 32; i++) {
        if (b[i] == '\n')
            coop_print(text, "\\n");
        else if (b[i] == '\r')
            coop_print(text, "\\r");
        else if (b[i] == '\t')
            coop_print(text, "\\t");
        else if (b[i] == '"' || b[i] == '\\')
            coop_print(text, "\\%c", b[i]);
        else if (b[i] < ' ' || b[i] > '~')
            coop_print(text, "\\x%02x", b[i]);
        else
            coop_print(text, "%c", b[i]);
    }
    coop_print(text, len > 32 ? "\"..." : "\"");
}

void coop_print_string(coop_text *text, const char *string)
{
    coop_print_bytes(text, string, coop_can_read(string, 1) ? strlen(string) : 1);
}

void coop_print_next(coop_text *text)
{
    if (text->used && text->data[text->used - 1] != '(')
        coop_print(text, ", ");
}

void coop_print_object(const void *object, const char *name, coop_text *text)
{
    if (object && !name)
        return;
    coop_print_next(text);
    coop_print(text, "%s", object ? name : "NULL");
}

void coop_print_why(const char *why, coop_text *text)
{
    if (!why)
        return;
    coop_print(text, ", ");
    coop_print_string(text, why);
}

/* Three digits at most, then the unit that fits. */
void coop_print_span(coop_text *text, int64_t ns)
{
    static const struct { int64_t ns; const char *unit; } units[] = {
        { INT64_C(3600000000000), "h" }, { INT64_C(60000000000), "min" }, { 1000000000, "s" },
        { 1000000, "ms" }, { 1000, "us" }, { 1, "ns" },
    };
    size_t i = 0;
    if (ns <= 0) {
        coop_print(text, ns ? "-" : "0s");
        if (!ns)
            return;
        ns = ns == INT64_MIN ? INT64_MAX : -ns;
    }
    while (ns < units[i].ns)
        i++;
    coop_print(text, "%" PRId64, ns / units[i].ns);
    int64_t tenths = ns % units[i].ns * 10 / units[i].ns;
    if (tenths && ns / units[i].ns < 100)
        coop_print(text, ".%d", (int)tenths);
    coop_print(text, "%s", units[i].unit);
}

static const struct { int number; const char *name; } errors[] = {
#define E(name) { name, #name }
    E(EPERM), E(ENOENT), E(ESRCH), E(EINTR), E(EIO), E(ENXIO), E(E2BIG), E(EBADF), E(ECHILD),
    E(EAGAIN), E(ENOMEM), E(EACCES), E(EFAULT), E(EBUSY), E(EEXIST), E(ENODEV), E(ENOTDIR),
    E(EISDIR), E(EINVAL), E(ENFILE), E(EMFILE), E(EFBIG), E(ENOSPC), E(ESPIPE), E(EROFS),
    E(EPIPE), E(EDOM), E(ERANGE), E(EDEADLK), E(ENAMETOOLONG), E(ENOSYS), E(EPROTO),
    E(EOVERFLOW), E(EILSEQ), E(ENOTSOCK), E(EMSGSIZE), E(EOPNOTSUPP), E(ENOTSUP),
    E(EADDRINUSE), E(EADDRNOTAVAIL), E(ENETDOWN), E(ENETUNREACH), E(ECONNABORTED),
    E(ECONNRESET), E(ENOBUFS), E(EISCONN), E(ENOTCONN), E(ETIMEDOUT), E(ECONNREFUSED),
    E(EHOSTUNREACH), E(EALREADY), E(EINPROGRESS), E(ECANCELED), E(EOWNERDEAD), E(ENODATA),
#undef E
};

void coop_result_text(coop_value result, coop_text *text)
{
    coop_print(text, "%td", result);
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (-(coop_value)errors[i].number == result) {
            coop_print(text, " %s", errors[i].name);
            break;
        }
}

void coop_print_call(const coop_call *call, const coop_value *result, coop_text *text)
{
    coop_print(text, "%s(", call->type->name);
    if (call->type->describe)
        call->type->describe(call, result, text);
    coop_print(text, ")");
}

void coop_call_text(const coop_call *call, const coop_value *result, coop_text *text)
{
    if (!call)
        return;
    coop_print_call(call, result, text);
    /* The address of one that stays says nothing, and is another in each run. */
    if (result && !(call->type->leave && *result > 0)) {
        coop_print(text, " = ");
        coop_result_text(*result, text);
    }
}
