/* Streams: what is read is what was written, however it comes, and nobody waits or keeps
   memory longer than he must. */
#include "bothends.h"
#include "lib/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- How things come */

/* Sends in pieces: the first of them of first bytes, when not 0, the others of size. */
coop_routine(feed, int fd; const char *data; size_t len, first, size, now;
             coop_value n;)
{
    coop_begin;
    my->now = my->first ? my->first : my->size;
    while (my->len) {
        if (my->now > my->len)
            my->now = my->len;
        coop_trap(my->n, Send, .fd = my->fd, .buf = my->data, .len = my->now);
        if (my->n < 0)
            coop_return(my->n);
        my->data += my->now;
        my->len -= my->now;
        my->now = my->size;
        coop_await(coop_void, rest);
    }
    coop_trap(coop_void, Close, .fd = my->fd);
    coop_end;
}

static const char lines[] = "one\r\ntwo\n\n\r\nfo\rur\r\r\n3 \n\0nul\nlast";

coop_routine(read_lines, size_t first, size; coop_tid tid; int here, there; coop_stream *s;
             coop_value n, sum; char *line; size_t len;)
{
    coop_begin;
    coop_await(coop_void, both_ends, .here = &my->here, .there = &my->there);
    my->s = coop_stream_open(my->here, 0);
    coop_spawn(feed, .fd = my->there, .data = lines, .len = sizeof lines - 1,
               .first = my->first, .size = my->size);
    for (;;) {
        coop_await(my->n, coop_read_line, .stream = my->s, .line = &my->line,
                   .length = &my->len);
        if (my->n <= 0)
            break;
        IS(my->line[my->len], '\0');
        for (size_t i = 0; i < my->len; i++)
            if (my->line[i] == '\r' || !my->line[i])
                my->line[i] = my->line[i] ? 'R' : '0';
        say("[%s]%d", my->line, (int)my->n);
        my->sum += my->n;
    }
    IS(my->n, 0);
    IS(my->sum, sizeof lines - 1);
    LOG_IS("[one]5 [two]4 []1 []2 [foRurR]8 [3 ]3 [0nul]5 [last]4");
    coop_await(my->n, coop_stream_close, .stream = my->s);
    coop_return(my->n);
    coop_end;
}

static void lines_split_at_every_byte(void)
{
    for (size_t i = 1; i < sizeof lines; i++)
        ON_BOTH(0, read_lines, .first = i, .size = sizeof lines);
    ON_BOTH(0, read_lines, .size = 1);
    ON_BOTH(0, read_lines, .size = 3);
}

/* Four frames: nothing, one byte, 53 and 300. */
static size_t make_frames(char *to)
{
    const size_t sizes[] = { 0, 1, 53, 300 };
    size_t used = 0;
    for (int i = 0; i < 4; i++) {
        const char header[4] = { 0, 0, (char)(sizes[i] >> 8), (char)sizes[i] };
        memcpy(to + used, header, 4);
        memset(to + used + 4, 'a' + i, sizes[i]);
        used += 4 + sizes[i];
    }
    return used;
}

coop_routine(read_frames, size_t first, size, cut; int here, there; coop_stream *s;
             coop_value n; char *frame; size_t len; char data[400];)
{
    coop_begin;
    coop_await(coop_void, both_ends, .here = &my->here, .there = &my->there);
    my->s = coop_stream_open(my->here, 300);
    coop_spawn(feed, .fd = my->there, .data = my->data, .first = my->first,
               .size = my->size, .len = make_frames(my->data) - my->cut);
    for (;;) {
        coop_await(my->n, coop_read_frame, .stream = my->s, .frame = &my->frame,
                   .length = &my->len);
        if (my->n <= 0)
            break;
        IS(my->frame[my->len], '\0');
        for (size_t i = 1; i < my->len; i++)
            IS(my->frame[i], my->frame[0]);
        say("%c%d/%d", my->len ? my->frame[0] : '-', (int)my->len, (int)my->n);
    }
    LOG_IS(my->cut ? "-0/4 b1/5 c53/57" : "-0/4 b1/5 c53/57 d300/304");
    coop_await(coop_void, coop_stream_close, .stream = my->s);
    coop_return(my->n);
    coop_end;
}

static void frames_split_and_merged(void)
{
    for (size_t i = 1; i < 70; i++)
        ON_BOTH(0, read_frames, .first = i, .size = 400);
    ON_BOTH(0, read_frames, .size = 400);
    ON_BOTH(0, read_frames, .size = 1);
    ON_BOTH(0, read_frames, .size = 7);
}

static void stream_ends_inside_a_frame(void)
{
    ON_BOTH(-EPROTO, read_frames, .size = 400, .cut = 1);
    ON_BOTH(-EPROTO, read_frames, .size = 9, .cut = 301);
    ON_BOTH(-EPROTO, read_frames, .size = 1, .cut = 303);
    ON_BOTH(0, read_frames, .size = 1, .cut = 304);
}

/* ---- Limits */

coop_routine(long_lines, size_t size, limit; int here, there; coop_stream *s; coop_value n;
             char *line;)
{
    coop_begin;
    coop_await(coop_void, both_ends, .here = &my->here, .there = &my->there);
    my->s = coop_stream_open(my->here, my->limit ? 100 : 5);
    static const char text[] = "12345\n12345\r\n123456\nok\n123456\r\n1234567890\n"
        "12345\rx\nend\n12345678";
    coop_spawn(feed, .fd = my->there, .data = text, .len = sizeof text - 1,
               .size = my->size);
    do {
        coop_await(my->n, coop_read_line, .stream = my->s, .line = &my->line,
                   .limit = my->limit);
        say("%s", my->n > 0 ? my->line : result(my->n));
    } while (my->n > 0 || my->n == -EMSGSIZE);
    LOG_IS("12345 12345 EMSGSIZE ok EMSGSIZE EMSGSIZE EMSGSIZE end EMSGSIZE 0");
    coop_await(my->n, coop_stream_close, .stream = my->s);
    coop_return(my->n);
    coop_end;
}

static void line_over_the_limit_is_passed_over(void)
{
    for (size_t i = 1; i < 60; i += 1 + i / 12) {
        ON_BOTH(0, long_lines, .size = i);
        ON_BOTH(0, long_lines, .size = i, .limit = 5);
    }
}

coop_routine(long_frame, int here, there; coop_stream *s, *t; coop_value n; char *frame;)
{
    coop_begin;
    coop_await(coop_void, both_ends, .here = &my->here, .there = &my->there);
    my->s = coop_stream_open(my->here, 10);
    my->t = coop_stream_open(my->there, 11);
    coop_await(my->n, coop_write_frame, .stream = my->s, .buf = "0123456789a", .len = 11);
    IS(my->n, -EMSGSIZE);
    coop_await(my->n, coop_write_frame, .stream = my->t, .buf = "0123456789", .len = 10);
    IS(my->n, 14);
    coop_await(my->n, coop_write_frame, .stream = my->t, .buf = "0123456789a", .len = 11);
    IS(my->n, 15);
    coop_await(my->n, coop_drain, .stream = my->t);
    IS(my->n, 0);
    coop_await(my->n, coop_read_frame, .stream = my->s, .frame = &my->frame);
    IS(my->n, 14);
    IS(strcmp(my->frame, "0123456789"), 0);
    coop_await(my->n, coop_read_frame, .stream = my->s, .frame = &my->frame);
    IS(my->n, -EMSGSIZE);
    coop_await(my->n, coop_read_frame, .stream = my->s, .frame = &my->frame);
    IS(my->n, -EMSGSIZE);
    coop_await(my->n, coop_stream_close, .stream = my->s);
    IS(my->n, 0);
    coop_await(my->n, coop_stream_close, .stream = my->t);
    IS(my->n, 0);
    coop_end;
}

static void frame_over_the_limit(void)
{
    ON_BOTH(0, long_frame);
}

/* ---- Bytes */

coop_routine(some_and_exact, int here, there; coop_stream *s; coop_value n; char buf[9000];)
{
    coop_begin;
    coop_await(coop_void, both_ends, .here = &my->here, .there = &my->there);
    my->s = coop_stream_open(my->here, 0);
    static char data[9000];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)(i * 7);
    coop_spawn(feed, .fd = my->there, .data = data, .len = sizeof data, .size = 1500);
    coop_await(my->n, coop_read_exact, .stream = my->s, .buf = my->buf, .len = 10);
    IS(my->n, 10);
    IS(coop_stream_waiting(my->s) > 0, 1);
    coop_await(my->n, coop_read_some, .stream = my->s, .buf = my->buf + 10, .len = 5);
    IS(my->n, 5);
    coop_await(my->n, coop_read_some, .stream = my->s, .buf = my->buf, .len = 0);
    IS(my->n, 0);
    coop_await(my->n, coop_read_exact, .stream = my->s, .buf = my->buf + 15, .len = 8000);
    IS(my->n, 8000);
    coop_await(my->n, coop_read_exact, .stream = my->s, .buf = my->buf + 8015, .len = 5000);
    IS(my->n, 985);
    IS(memcmp(my->buf, data, sizeof data), 0);
    coop_await(my->n, coop_read_exact, .stream = my->s, .buf = my->buf, .len = 5);
    IS(my->n, 0);
    coop_await(my->n, coop_read_some, .stream = my->s, .buf = my->buf, .len = 5);
    IS(my->n, 0);
    coop_await(my->n, coop_stream_close, .stream = my->s);
    coop_return(my->n);
    coop_end;
}

static void read_some_and_exact(void)
{
    ON_BOTH(0, some_and_exact);
}

/* Writes numbers in pieces of all sizes, and drains now and then. */
enum { MUCH = 400000 };

static char byte_at(size_t i)
{
    return (char)(i ^ i >> 8 ^ i >> 16);
}

coop_routine(pour, coop_stream *s; size_t done, len; coop_value n; char buf[3000];)
{
    coop_begin;
    while (my->done < MUCH) {
        my->len = my->done * 31 % sizeof my->buf + 1;
        if (my->len > MUCH - my->done)
            my->len = MUCH - my->done;
        for (size_t i = 0; i < my->len; i++)
            my->buf[i] = byte_at(my->done + i);
        coop_await(my->n, coop_write_all, .stream = my->s, .buf = my->buf, .len = my->len);
        IS(my->n, my->len);
        CU_ASSERT(coop_stream_unsent(my->s) <= 2000);
        my->done += my->len;
    }
    coop_await(my->n, coop_drain, .stream = my->s);
    IS(my->n, 0);
    coop_end;
}

coop_routine(scoop, coop_stream *s; size_t done, wrong; coop_value n; char buf[777];)
{
    coop_begin;
    while (my->done < MUCH) {
        coop_await(my->n, coop_read_some, .stream = my->s, .buf = my->buf,
                   .len = sizeof my->buf);
        if (my->n <= 0)
            break;
        for (size_t i = 0; i < (size_t)my->n; i++)
            my->wrong += my->buf[i] != byte_at(my->done + i);
        my->done += (size_t)my->n;
    }
    IS(my->wrong, 0);
    IS(my->done, MUCH);
    coop_end;
}

/* Both sides write and read at once, with little room: a task for each. */
coop_routine(both_ways, int here, there, i; coop_stream *s, *t; coop_tid tids[4];
             coop_value n;)
{
    coop_begin;
    coop_await(coop_void, both_ends, .here = &my->here, .there = &my->there);
    my->s = coop_stream_open(my->here, 2000);
    my->t = coop_stream_open(my->there, 2000);
    coop_trap(my->tids[0], NewTask, .target = coop_create(pour, .s = my->s));
    coop_trap(my->tids[1], NewTask, .target = coop_create(pour, .s = my->t));
    coop_trap(my->tids[2], NewTask, .target = coop_create(scoop, .s = my->s));
    coop_trap(my->tids[3], NewTask, .target = coop_create(scoop, .s = my->t));
    for (my->i = 0; my->i < 4; my->i++) {
        coop_trap(my->n, WaitTask, .tid = my->tids[my->i]);
        IS(my->n, 0);
    }
    coop_await(my->n, coop_stream_close, .stream = my->s);
    IS(my->n, 0);
    coop_await(my->n, coop_stream_close, .stream = my->t);
    coop_return(my->n);
    coop_end;
}

static void readers_and_writers_at_once(void)
{
    ON_BOTH(0, both_ways);
}

/* ---- Who sends, and when */

coop_routine(echo_lines, coop_stream *s; coop_value n; char *line;)
{
    coop_begin;
    for (;;) {
        coop_await(my->n, coop_read_line, .stream = my->s, .line = &my->line);
        if (my->n <= 0)
            coop_return(my->n);
        IS(coop_stream_print(my->s, "<%s>\n", my->line), strlen(my->line) + 3);
    }
    coop_finally;
    coop_await(my->n, coop_stream_close, .stream = my->s);
    IS(my->n, 0);
    coop_end;
}

coop_routine(sends_before_it_waits, int here, there; coop_stream *s; coop_value n;
             char *line;)
{
    coop_begin;
    coop_await(coop_void, both_ends, .here = &my->here, .there = &my->there);
    coop_spawn(echo_lines, .s = coop_stream_open(my->there, 0));
    my->s = coop_stream_open(my->here, 0);
    IS(coop_stream_fd(my->s), my->here);
    IS(coop_stream_print(my->s, "a\nb\n"), 4);
    IS(coop_stream_unsent(my->s), 4);
    coop_await(my->n, coop_read_line, .stream = my->s, .line = &my->line);
    IS(strcmp(my->line, "<a>"), 0);
    IS(coop_stream_unsent(my->s), 0);
    coop_await(my->n, coop_read_line, .stream = my->s, .line = &my->line);
    IS(strcmp(my->line, "<b>"), 0);
    coop_await(my->n, coop_write_all, .stream = my->s, .buf = "half", .len = 4);
    IS(my->n, 4);
    coop_await(my->n, coop_drain, .stream = my->s);
    IS(my->n, 0);
    coop_trap(my->n, Shutdown, .fd = my->here);
    IS(my->n, 0);
    coop_await(my->n, coop_read_line, .stream = my->s, .line = &my->line);
    IS(strcmp(my->line, "<half>"), 0);
    coop_await(my->n, coop_read_line, .stream = my->s, .line = &my->line);
    IS(my->n, 0);
    coop_await(my->n, coop_stream_close, .stream = my->s);
    coop_return(my->n);
    coop_end;
}

static void sends_before_it_waits_and_half_close(void)
{
    ON_BOTH(0, sends_before_it_waits);
}

/* A writer at a peer that reads nothing: it waits, and what it keeps is bounded. */
coop_routine(write_on, coop_stream *s; size_t size, *done; coop_value n; char buf[5000];)
{
    coop_begin;
    do {
        coop_await(my->n, coop_write_all, .stream = my->s, .buf = my->buf, .len = my->size);
        if (my->n > 0)
            *my->done += (size_t)my->n;
    } while (my->n > 0);
    coop_return(my->n);
    coop_end;
}

coop_routine(nobody_reads, size_t size; int here, there; coop_stream *s;
             size_t done, before; coop_tid tid; coop_value n; coop_info info;)
{
    coop_begin;
    coop_await(coop_void, both_ends, .here = &my->here, .there = &my->there);
    my->s = coop_stream_open(my->here, 3000);
    coop_trap(my->tid, NewTask,
              .target = coop_create(write_on, .s = my->s, .size = my->size,
                                    .done = &my->done));
    do {
        my->before = my->done;
        coop_await(coop_void, rest);
    } while (my->done != my->before);
    IS(coop_inspect(my->tid, &my->info), 0);
    IS(my->info.state, COOP_WAITING);
    CU_ASSERT(coop_stream_unsent(my->s) <= 3000);
    CU_ASSERT(my->s->out.size <= 3000 + 4);
    IS(coop_stream_print(my->s, "%*s", 3001, ""), -ENOBUFS);
    coop_trap(my->n, KillTask, .tid = my->tid, .wait = true);
    IS(my->n, 0);
    IS(coop_stream_print(my->s, "more"), -ECANCELED);
    coop_await(my->n, coop_write_all, .stream = my->s, .buf = "x", .len = 1);
    IS(my->n, -ECANCELED);
    coop_await(my->n, coop_drain, .stream = my->s);
    IS(my->n, -ECANCELED);
    IS(coop_stream_unsent(my->s), 0);
    coop_await(my->n, coop_stream_close, .stream = my->s);
    IS(my->n, -ECANCELED);
    coop_trap(coop_void, Close, .fd = my->there);
    coop_end;
}

static void peer_that_never_reads(void)
{
    ON_BOTH(0, nobody_reads, .size = 1000);
    ON_BOTH(0, nobody_reads, .size = 5000);
}

/* Three who write at once. */
coop_routine(write_letters, coop_stream *s; char letter; int i; coop_value n; char buf[700];
             )
{
    coop_begin;
    memset(my->buf, my->letter, sizeof my->buf);
    for (my->i = 0; my->i < 40; my->i++) {
        coop_await(my->n, coop_write_all, .stream = my->s, .buf = my->buf,
                   .len = sizeof my->buf);
        IS(my->n, sizeof my->buf);
    }
    coop_await(my->n, coop_drain, .stream = my->s);
    IS(my->n, 0);
    coop_end;
}

coop_routine(many_writers, size_t limit; int here, there, i; coop_stream *s, *t;
             coop_tid tids[3]; coop_value n; size_t got; char buf[700];)
{
    coop_begin;
    coop_await(coop_void, both_ends, .here = &my->here, .there = &my->there);
    my->s = coop_stream_open(my->here, my->limit);
    my->t = coop_stream_open(my->there, 0);
    for (my->i = 0; my->i < 3; my->i++)
        coop_trap(my->tids[my->i], NewTask,
                  .target = coop_create(write_letters, .s = my->s,
                                        .letter = (char)('a' + my->i)));
    for (my->i = 0; my->i < 120; my->i++) {
        coop_await(my->n, coop_read_exact, .stream = my->t, .buf = my->buf,
                   .len = sizeof my->buf);
        IS(my->n, sizeof my->buf);
        IS(memcmp(my->buf, my->buf + 1, sizeof my->buf - 1), 0);
    }
    for (my->i = 0; my->i < 3; my->i++)
        coop_trap(coop_void, WaitTask, .tid = my->tids[my->i]);
    coop_await(my->n, coop_stream_close, .stream = my->s);
    IS(my->n, 0);
    coop_await(my->n, coop_stream_close, .stream = my->t);
    coop_return(my->n);
    coop_end;
}

static void what_one_call_writes_stays_together(void)
{
    ON_BOTH(0, many_writers, .limit = 1000);
    ON_BOTH(0, many_writers, .limit = 100);
}

/* ---- One of each routine, that can be reset and killed */

enum doing { SOME, EXACT, LINE, FRAME, WRITE, WRITE_FRAME, DRAIN, CLOSE, COPY, DOINGS };

coop_routine(do_one, enum doing doing; coop_stream *s; coop_value n; char *line, buf[6000];)
{
    coop_begin;
    if (my->doing == SOME)
        coop_await(my->n, coop_read_some, .stream = my->s, .buf = my->buf, .len = 10);
    if (my->doing == EXACT)
        coop_await(my->n, coop_read_exact, .stream = my->s, .buf = my->buf, .len = 6000);
    if (my->doing == LINE)
        coop_await(my->n, coop_read_line, .stream = my->s, .line = &my->line);
    if (my->doing == FRAME)
        coop_await(my->n, coop_read_frame, .stream = my->s, .frame = &my->line);
    if (my->doing == COPY)
        coop_await(my->n, coop_copy, .from = coop_stream_fd(my->s),
                   .to = coop_stream_fd(my->s));
    while (my->doing == WRITE && my->n >= 0)
        coop_await(my->n, coop_write_all, .stream = my->s, .buf = my->buf, .len = 6000);
    while (my->doing == WRITE_FRAME && my->n >= 0)
        coop_await(my->n, coop_write_frame, .stream = my->s, .buf = my->buf, .len = 3000);
    while (my->doing == DRAIN && my->n >= 0) {
        coop_stream_print(my->s, "%3000s", "");
        coop_await(my->n, coop_drain, .stream = my->s);
    }
    if (my->doing == CLOSE) {
        coop_stream_print(my->s, "%3000s", "");
        coop_await(my->n, coop_stream_close, .stream = my->s);
    }
    coop_return(my->n);
    coop_end;
}

static bool is_writing(enum doing doing)
{
    return doing >= WRITE && doing <= CLOSE;
}

static coop_value send_much(int fd)
{
    fill(fd);
    return 0;
}

coop_routine(in_the_middle, enum doing doing; bool kill, part; int here, there;
             coop_stream *s; coop_tid tid; coop_value n;)
{
    coop_begin;
    coop_await(coop_void, both_ends, .here = &my->here, .there = &my->there);
    my->s = coop_stream_open(my->here, 3000);
    if (my->doing == CLOSE)
        send_much(my->here);
    if (my->part && !is_writing(my->doing))
        coop_trap(coop_void, Send, .fd = my->there, .buf = "\0\0\0\xffpart", .len = 8);
    coop_trap(my->tid, NewTask,
              .target = coop_create(do_one, .doing = my->doing, .s = my->s));
    coop_await(coop_void, rest);
    coop_await(coop_void, rest);
    if (my->kill) {
        coop_trap(my->n, KillTask, .tid = my->tid, .wait = true);
        IS(my->n, my->part && my->doing == SOME ? -ESRCH : 0);
    } else {
        reset(my->there);
        my->there = -1;
        coop_trap(my->n, WaitTask, .tid = my->tid);
        if (my->part && my->doing == SOME)
            IS(my->n, 8);
        else
            CU_ASSERT(my->n == -ECONNRESET || (is_writing(my->doing) && my->n == -EPIPE));
    }
    coop_return(0);
    coop_finally;
    if (my->doing != CLOSE)
        coop_await(coop_void, coop_stream_close, .stream = my->s);
    if (my->there >= 0)
        coop_trap(coop_void, Close, .fd = my->there);
    coop_end;
}

static void reset_in_the_middle(void)
{
    for (int doing = 0; doing < DOINGS; doing++) {
        OUTSIDE(0, in_the_middle, .doing = doing);
        OUTSIDE(0, in_the_middle, .doing = doing, .part = true);
    }
}

static void kill_in_the_middle(void)
{
    for (int doing = 0; doing < DOINGS; doing++) {
        OUTSIDE(0, in_the_middle, .doing = doing, .kill = true);
        OUTSIDE(0, in_the_middle, .doing = doing, .kill = true, .part = true);
    }
}

/* ---- Closing */

coop_routine(says_what, enum doing doing; coop_stream *s; coop_value n;)
{
    coop_begin;
    coop_await(my->n, do_one, .doing = my->doing, .s = my->s);
    say("%s", result(my->n));
    coop_end;
}

coop_routine(closed_under, enum doing doing; int here, there; coop_stream *s; coop_value n;)
{
    coop_begin;
    coop_await(coop_void, both_ends, .here = &my->here, .there = &my->there);
    my->s = coop_stream_open(my->here, 3000);
    coop_spawn(says_what, .doing = my->doing, .s = my->s);
    coop_await(coop_void, rest);
    coop_await(my->n, coop_read_some, .stream = my->s, .buf = &my->n, .len = 1);
    IS(my->n, -EBUSY);
    coop_await(my->n, coop_stream_close, .stream = my->s);
    IS(my->n, 0);
    coop_await(coop_void, rest);
    LOG_IS("EBADF");
    coop_trap(coop_void, Close, .fd = my->there);
    coop_end;
}

static void closed_under_a_reader(void)
{
    for (int doing = SOME; doing <= FRAME; doing++)
        ON_BOTH(0, closed_under, .doing = doing);
}

/* The other side takes nothing: the close ends by itself, though it cannot be killed. */
coop_routine(closer, coop_stream *s; int64_t linger; coop_value n;)
{
    coop_begin;
    coop_stream_print(my->s, "bye");
    coop_return(0);
    coop_finally;
    coop_await(my->n, coop_stream_close, .stream = my->s, .linger = my->linger);
    say("%s", result(my->n));
    coop_end;
}

coop_routine(lingers, bool kill; int here, there; coop_tid tid; coop_value n;)
{
    coop_begin;
    coop_await(coop_void, both_ends, .here = &my->here, .there = &my->there);
    send_much(my->here);
    coop_trap(my->tid, NewTask,
              .target = coop_create(closer, .s = coop_stream_open(my->here, 0),
                                    .linger = COOP_MS(20)));
    coop_await(coop_void, rest);
    if (my->kill)
        coop_trap(coop_void, KillTask, .tid = my->tid, .wait = true);
    else
        coop_trap(coop_void, WaitTask, .tid = my->tid);
    IS(is_open(my->here), 0);
    LOG_IS("ETIMEDOUT");
    coop_trap(coop_void, Close, .fd = my->there);
    coop_end;
}

static void close_lingers_no_longer(void)
{
    OUTSIDE(0, lingers);
    OUTSIDE(0, lingers, .kill = true);
}

coop_routine(killed_closer, coop_stream *s;)
{
    coop_begin;
    coop_stream_print(my->s, "bye");
    coop_trap(coop_void, Sleep, .ns = COOP_S(1000));
    coop_finally;
    coop_await(coop_void, coop_stream_close, .stream = my->s, .linger = COOP_S(1000));
    coop_end;
}

coop_routine(kill_closer, int here, there; coop_tid tid; coop_value n; char buf[4];)
{
    coop_begin;
    coop_await(coop_void, both_ends, .here = &my->here, .there = &my->there);
    coop_trap(my->tid, NewTask,
              .target = coop_create(killed_closer, .s = coop_stream_open(my->here, 0)));
    coop_await(coop_void, rest);
    coop_trap(my->n, KillTask, .tid = my->tid, .wait = true);
    IS(my->n, 0);
    coop_trap(my->n, Recv, .fd = my->there, .buf = my->buf, .len = sizeof my->buf);
    IS(my->n, 0);
    coop_trap(coop_void, Close, .fd = my->there);
    coop_end;
}

static void killed_task_sends_nothing_more(void)
{
    ON_BOTH(0, kill_closer);
}

coop_routine(without_a_stream, int here, there; coop_value n; char *p, c;)
{
    coop_begin;
    coop_await(coop_void, both_ends, .here = &my->here, .there = &my->there);
    coop_await(my->n, coop_read_some, .buf = &my->c, .len = 1);
    IS(my->n, -ENOMEM);
    coop_await(my->n, coop_read_exact, .buf = &my->c, .len = 1);
    IS(my->n, -ENOMEM);
    coop_await(my->n, coop_read_line, .line = &my->p);
    IS(my->n, -ENOMEM);
    coop_await(my->n, coop_read_frame, .frame = &my->p);
    IS(my->n, -ENOMEM);
    coop_await(my->n, coop_write_all, .buf = "", .len = 1);
    IS(my->n, -ENOMEM);
    coop_await(my->n, coop_write_frame, .buf = "", .len = 1);
    IS(my->n, -ENOMEM);
    coop_await(my->n, coop_drain, .stream = NULL);
    IS(my->n, -ENOMEM);
    coop_await(my->n, coop_stream_close, .stream = NULL);
    IS(my->n, -ENOMEM);
    coop_await(my->n, coop_stream_close, .fd = my->there);
    IS(my->n, -ENOMEM);
    IS(coop_stream_print(NULL, "x"), -ENOMEM);
    IS(coop_stream_waiting(NULL), -ENOMEM);
    IS(coop_stream_unsent(NULL), -ENOMEM);
    IS(coop_stream_fd(NULL), -ENOMEM);
    IS(coop_stream_free(NULL), -ENOMEM);
    coop_trap(my->n, Recv, .fd = my->here, .buf = &my->c, .len = 1);
    IS(my->n, 0);
    coop_trap(my->n, Close, .fd = my->here);
    coop_return(my->n);
    coop_end;
}

static void no_memory_for_a_stream(void)
{
    ON_BOTH(0, without_a_stream);
}

coop_routine(give_back, int here, there; coop_stream *s; coop_value n; char c;)
{
    coop_begin;
    coop_await(coop_void, both_ends, .here = &my->here, .there = &my->there);
    my->s = coop_stream_open(my->here, 0);
    coop_stream_print(my->s, "not sent");
    IS(coop_stream_free(my->s), my->here);
    coop_trap(my->n, Send, .fd = my->here, .buf = "x", .len = 1);
    IS(my->n, 1);
    coop_trap(my->n, Recv, .fd = my->there, .buf = &my->c, .len = 1);
    IS(my->c, 'x');
    coop_trap(coop_void, Close, .fd = my->here);
    coop_trap(coop_void, Close, .fd = my->there);
    coop_end;
}

static void free_gives_the_descriptor_back(void)
{
    ON_BOTH(0, give_back);
}

/* ---- Other descriptors */

coop_routine(through_a_pipe, int fds[2]; coop_stream *in, *out; coop_value n; char *line;)
{
    coop_begin;
    need(pipe(my->fds) == 0, "pipe");
    my->in = coop_stream_open(my->fds[0], 0);
    my->out = coop_stream_open(my->fds[1], 0);
    coop_stream_print(my->out, "%d\n%s", 27, "rest");
    coop_await(my->n, coop_drain, .stream = my->out);
    IS(my->n, 0);
    coop_await(my->n, coop_read_line, .stream = my->in, .line = &my->line);
    IS(my->n, 3);
    IS(strcmp(my->line, "27"), 0);
    coop_await(my->n, coop_stream_close, .stream = my->out);
    IS(my->n, 0);
    coop_await(my->n, coop_read_line, .stream = my->in, .line = &my->line);
    IS(my->n, 4);
    IS(strcmp(my->line, "rest"), 0);
    coop_await(my->n, coop_read_line, .stream = my->in, .line = &my->line);
    IS(my->n, 0);
    coop_await(my->n, coop_stream_close, .stream = my->in);
    coop_return(my->n);
    coop_end;
}

static void stream_over_a_pipe(void)
{
    OUTSIDE(0, through_a_pipe);
}

/* ---- What an idle connection costs */

coop_routine(idle_costs, int here, there; coop_stream *s; coop_tid tid; coop_value n;
             coop_info info; char buf[1];)
{
    coop_begin;
    coop_await(coop_void, both_ends, .here = &my->here, .there = &my->there);
    my->s = coop_stream_open(my->here, 0);
    coop_trap(my->tid, NewTask, .target = coop_create(echo_lines, .s = my->s));
    coop_trap(my->n, Send, .fd = my->there, .buf = "hello\n", .len = 6);
    coop_trap(my->n, Recv, .fd = my->there, .buf = my->buf, .len = 1);
    IS(my->n, 1);
    coop_await(coop_void, rest);
    IS(coop_inspect(my->tid, &my->info), 0);
    IS(my->info.state, COOP_WAITING);
    CU_ASSERT(my->info.bytes + sizeof(coop_stream) <= 900);
    CU_ASSERT(sizeof(coop_stream) < 100);
    CU_ASSERT_PTR_NULL(my->s->in.data);
    CU_ASSERT_PTR_NULL(my->s->out.data);
    coop_trap(coop_void, Shutdown, .fd = my->there);
    coop_trap(coop_void, WaitTask, .tid = my->tid);
    coop_trap(coop_void, Close, .fd = my->there);
    coop_end;
}

static void idle_connection_is_small(void)
{
    ON_BOTH(0, idle_costs);
}

static const suite_test tests[] = {
    TEST(lines_split_at_every_byte),
    TEST(frames_split_and_merged),
    TEST(stream_ends_inside_a_frame),
    TEST(line_over_the_limit_is_passed_over),
    TEST(frame_over_the_limit),
    TEST(read_some_and_exact),
    TEST(readers_and_writers_at_once),
    TEST(sends_before_it_waits_and_half_close),
    TEST(peer_that_never_reads),
    TEST(what_one_call_writes_stays_together),
    TEST(reset_in_the_middle),
    TEST(kill_in_the_middle),
    TEST(closed_under_a_reader),
    TEST(close_lingers_no_longer),
    TEST(killed_task_sends_nothing_more),
    TEST(no_memory_for_a_stream),
    TEST(free_gives_the_descriptor_back),
    TEST(stream_over_a_pipe),
    TEST(idle_connection_is_small),
};

int main(int argc, char **argv)
{
    return world_main("stream", tests, SUITE_COUNT(tests), argc, argv,
                      "idle_connection_is_small");
}
