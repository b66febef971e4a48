#define _POSIX_C_SOURCE 200809L
#include "server.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { LINE_CUT = 4096 };          /* a longer line is broken */

int64_t output_patience = COOP_S(30);

/* ---- The ring ------------------------------------------------------------------- */

static void append(struct output *out, const char *bytes, size_t len)
{
    size_t at = (out->head + out->used) % OUTPUT_SIZE;
    size_t part = len < OUTPUT_SIZE - at ? len : OUTPUT_SIZE - at;

    memcpy(out->ring + at, bytes, part);
    memcpy(out->ring, bytes + part, len - part);
    out->used += len;
}

static bool append_line(struct output *out, const char *tag, const char *line, size_t len,
                        size_t full)
{
    size_t tag_len = tag ? strlen(tag) : 0;

    if (out->used + tag_len + len + 1 > full)
        return false;
    append(out, tag ? tag : "", tag_len);
    append(out, line, len);
    append(out, "\n", 1);
    return true;
}

static void drop(struct output *out, size_t len)
{
    out->used -= len;
    out->head = out->used ? (out->head + len) % OUTPUT_SIZE : 0;
    out->sent += len;
}

static coop_value chunk(const struct output *out)
{
    size_t len = out->used < OUTPUT_CHUNK ? out->used : OUTPUT_CHUNK;

    return (coop_value)(len < OUTPUT_SIZE - out->head ? len : OUTPUT_SIZE - out->head);
}

static void tell_lost(struct output *out)
{
    char line[64];
    int len = snprintf(line, sizeof line, "(%u lines lost here)", out->lost);

    if (out->lost && append_line(out, NULL, line, (size_t)len, OUTPUT_FULL))
        out->lost = 0;
}

void output_tell(struct output *out, const char *tag, const char *format, ...)
{
    char line[LINE_CUT];
    va_list args;
    int len;

    if (out->broken)
        return;
    va_start(args, format);
    len = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (len >= LINE_CUT)
        len = LINE_CUT - 1;
    if (out->lost || !append_line(out, tag, line, (size_t)len, OUTPUT_SIZE))
        out->lost++;
    else if (out->writer)
        server_ring(out);
}

/* ---- Print ---------------------------------------------------------------------- */

static void wake_writer(coop_sched *sched, struct output *out)
{
    struct coop_WaitOutput *writer = out->writer;

    if (!writer || out->used == 0)
        return;
    out->writer = NULL;
    coop_wake(sched, &writer->base, chunk(out));
}

/* Prints as many lines as there is room for. Returns true if that was all. */
static bool print_lines(struct coop_Print *print)
{
    while (print->text[print->done]) {
        const char *line = print->text + print->done;
        size_t len = strcspn(line, "\n");

        if (len > LINE_CUT)
            len = LINE_CUT;
        if (!append_line(print->to, print->tag, line, len, OUTPUT_FULL))
            return false;
        print->done += len + (line[len] == '\n');
    }
    return true;
}

/* Lets those who wait print, in order, until there is no room. */
static void print_waiting(coop_sched *sched, struct output *out)
{
    while (out->first && (out->broken || print_lines(out->first))) {
        struct coop_Print *print = out->first;

        out->first = (struct coop_Print *)coop_list_take(&out->printers);
        coop_timer_clear(sched, &print->base);
        coop_wake(sched, &print->base, out->broken ? -EPIPE : 0);
    }
}

/* Print and Flush look each second whether the client has taken anything. The hang-up makes
   the writer fail, and the rest follows from that. */
static int start_patience(coop_sched *sched, coop_call *call, const struct output *out,
                          struct patience *patience)
{
    *patience = (struct patience){ out->sent, coop_clock(sched) };
    return coop_timer_set(sched, call, patience->since + COOP_S(1));
}

static coop_value be_patient(coop_sched *sched, coop_call *call, struct output *out,
                             struct patience *patience)
{
    int64_t now = coop_clock(sched);

    if (patience->seen != out->sent)
        *patience = (struct patience){ out->sent, now };
    else if (now - patience->since >= output_patience && !out->dropped) {
        out->dropped = true;
        shutdown(out->fd, SHUT_RDWR);
    }
    coop_timer_set(sched, call, now + COOP_S(1));
    return COOP_WAIT;
}

static coop_value print_handle(coop_sched *sched, coop_call *call)
{
    struct coop_Print *print = (struct coop_Print *)call;
    struct output *out = print->to;
    bool all = false;
    int r;

    if (out->broken)
        return -EPIPE;
    if (!out->first)
        all = print_lines(print);
    wake_writer(sched, out);
    if (all)
        return 0;
    r = start_patience(sched, call, out, &print->patience);
    if (r < 0)
        return r;
    if (out->first)
        coop_list_add(&out->printers, call);
    else
        out->first = print;
    return COOP_WAIT;
}

static coop_value print_ready(coop_sched *sched, coop_call *call)
{
    struct coop_Print *print = (struct coop_Print *)call;

    return be_patient(sched, call, print->to, &print->patience);
}

static bool print_undo(coop_sched *sched, coop_call *call)
{
    struct coop_Print *print = (struct coop_Print *)call;
    struct output *out = print->to;

    coop_timer_clear(sched, call);
    if (out->first == print)
        out->first = (struct coop_Print *)coop_list_take(&out->printers);
    else
        coop_list_remove(&out->printers, call);
    return true;
}

static void print_describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_Print *print = (const struct coop_Print *)call;

    (void)result;
    coop_print(text, "client %d, ", print->to->client);
    coop_print_bytes(text, print->text, strlen(print->text));
}

static void print_touches(const coop_call *call, coop_touch *touch)
{
    *touch = (coop_touch){
        .object = (uintptr_t)((const struct coop_Print *)call)->to, .write = true
    };
}

const coop_call_type coop_Print_type = {
    .name = "Print", .outside = true, .handle = print_handle, .ready = print_ready,
    .undo = print_undo, .describe = print_describe, .touches = print_touches
};

/* ---- WaitOutput ----------------------------------------------------------------- */

static void wake_flusher(coop_sched *sched, struct output *out)
{
    struct coop_Flush *flusher = out->flusher;

    if (!flusher || (out->used > 0 && !out->broken))
        return;
    out->flusher = NULL;
    coop_timer_clear(sched, &flusher->base);
    coop_wake(sched, &flusher->base, out->broken ? -EPIPE : 0);
}

static coop_value wait_handle(coop_sched *sched, coop_call *call)
{
    struct coop_WaitOutput *wait = (struct coop_WaitOutput *)call;
    struct output *out = wait->from;

    if (wait->sent < 0)
        out->broken = true;
    else
        drop(out, (size_t)wait->sent);
    tell_lost(out);
    print_waiting(sched, out);
    wake_flusher(sched, out);
    if (out->broken)
        return wait->sent;
    if (out->used > 0)
        return chunk(out);
    out->writer = wait;
    return COOP_WAIT;
}

static bool wait_undo(coop_sched *sched, coop_call *call)
{
    (void)sched;
    ((struct coop_WaitOutput *)call)->from->writer = NULL;
    return true;
}

static void wait_describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct output *out = ((const struct coop_WaitOutput *)call)->from;

    (void)result;
    coop_print(text, "client %d, %zu bytes", out->client, out->used);
}

static void wait_touches(const coop_call *call, coop_touch *touch)
{
    const struct coop_WaitOutput *wait = (const struct coop_WaitOutput *)call;

    *touch = (coop_touch){
        .object = (uintptr_t)wait->from, .write = true
    };
}

const coop_call_type coop_WaitOutput_type = {
    .name = "WaitOutput", .handle = wait_handle, .undo = wait_undo,
    .describe = wait_describe, .touches = wait_touches
};

/* ---- Flush ---------------------------------------------------------------------- */

static coop_value flush_handle(coop_sched *sched, coop_call *call)
{
    struct coop_Flush *flush = (struct coop_Flush *)call;
    struct output *out = flush->of;
    int r;

    if (out->broken)
        return -EPIPE;
    if (out->used == 0)
        return 0;
    wake_writer(sched, out);
    r = start_patience(sched, call, out, &flush->patience);
    if (r < 0)
        return r;
    out->flusher = flush;
    return COOP_WAIT;
}

static coop_value flush_ready(coop_sched *sched, coop_call *call)
{
    struct coop_Flush *flush = (struct coop_Flush *)call;

    return be_patient(sched, call, flush->of, &flush->patience);
}

static bool flush_undo(coop_sched *sched, coop_call *call)
{
    coop_timer_clear(sched, call);
    ((struct coop_Flush *)call)->of->flusher = NULL;
    return true;
}

static void flush_describe(const coop_call *call, const coop_value *result, coop_text *text)
{
    const struct coop_Flush *flush = (const struct coop_Flush *)call;

    (void)result;
    coop_print(text, "client %d, %zu bytes", flush->of->client, flush->of->used);
}

static void flush_touches(const coop_call *call, coop_touch *touch)
{
    *touch = (coop_touch){ .object = (uintptr_t)((const struct coop_Flush *)call)->of };
}

const coop_call_type coop_Flush_type = {
    .name = "Flush", .outside = true, .handle = flush_handle, .ready = flush_ready,
    .undo = flush_undo, .describe = flush_describe, .touches = flush_touches
};
