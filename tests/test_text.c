/* What people read: the texts of results, calls, tasks and call stacks. */
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define TEXT_IS(text, expected) CU_ASSERT_STRING_EQUAL((text).data, expected)

/* ---- Putting texts together */

static void print_appends(void)
{
    char buf[20] = "?";
    coop_text text = { .data = buf, .size = sizeof buf };
    coop_print(&text, "%s", "");
    TEXT_IS(text, "");
    coop_print(&text, "%d-%s", 12, "ab");
    coop_print(&text, "%c", '!');
    TEXT_IS(text, "12-ab!");
    IS(text.used, 6);
    CU_ASSERT(!text.cut);
}

static void print_cuts_what_does_not_fit(void)
{
    char buf[9] = "????????";
    coop_text text = { .data = buf, .size = 8 };
    coop_print(&text, "abcdefg");
    CU_ASSERT(!text.cut);
    coop_print(&text, "h");
    CU_ASSERT(text.cut);
    TEXT_IS(text, "abcdefg");
    IS(text.used, 7);
    text = (coop_text){ .data = buf, .size = 8 };
    coop_print(&text, "%0600d", 1);
    CU_ASSERT(text.cut);
    TEXT_IS(text, "0000000");
}

static void print_into_next_to_nothing(void)
{
    char buf[2] = "ab";
    coop_text text = { .data = buf, .size = 1 };
    coop_print(&text, "%s", "");
    TEXT_IS(text, "");
    CU_ASSERT(!text.cut);
    coop_print(&text, "x");
    TEXT_IS(text, "");
    CU_ASSERT(text.cut);
    buf[0] = 'a';
    text = (coop_text){ .data = buf };
    coop_print(&text, "x");
    IS(buf[0], 'a');
    text = (coop_text){ .size = 10 };
    coop_print(&text, "x");
    coop_print(NULL, "x");
    coop_print_bytes(NULL, "x", 1);
    coop_print_span(NULL, 1);
    coop_result_text(-EBADF, NULL);
}

static char taken[4000];
static int times_taken;

static void take(coop_text *text)
{
    IS(text->used < text->size, 1);
    IS(text->data[text->used], 0);
    CU_ASSERT_PTR_EQUAL(text->arg, taken);
    memcpy(taken + strlen(taken), text->data, text->used + 1);
    text->used = 0;
    times_taken++;
}

static void print_is_flushed_when_full(void)
{
    char buf[8];
    coop_text text = { .data = buf, .size = sizeof buf, .flush = take, .arg = taken };
    taken[0] = '\0';
    times_taken = 0;
    coop_print(&text, "0123456");
    IS(times_taken, 0);
    coop_print(&text, "789");
    IS(times_taken, 1);
    TEXT_IS(text, "789");
    coop_print(&text, "%0600d", 1);
    take(&text);
    CU_ASSERT(!text.cut);
    IS(strlen(taken), 610);
    CU_ASSERT_NSTRING_EQUAL(taken, "012345678900000", 15);
    IS(taken[609], '1');
    text = (coop_text){ .data = buf, .size = 1, .flush = take, .arg = taken };
    coop_print(&text, "x");
    CU_ASSERT(text.cut);
}

static void print_of_much_at_once(void)
{
    char buf[3000], much[2001];
    coop_text text = { .data = buf, .size = sizeof buf };
    memset(much, 'x', 2000);
    much[2000] = '\0';
    coop_print(&text, "<%s>", much);
    IS(text.used, 2002);
    CU_ASSERT(!text.cut);
    IS(buf[2001], '>');
}

static const char *bytes(const void *from, size_t len)
{
    static char buf[200];
    coop_text text = { .data = buf, .size = sizeof buf };
    coop_print_bytes(&text, from, len);
    return buf;
}

static void print_bytes_quotes(void)
{
    CU_ASSERT_STRING_EQUAL(bytes("", 0), "\"\"");
    CU_ASSERT_STRING_EQUAL(bytes("hi", 2), "\"hi\"");
    CU_ASSERT_STRING_EQUAL(bytes("\r\n\t\"\\", 5), "\"\\r\\n\\t\\\"\\\\\"");
    CU_ASSERT_STRING_EQUAL(bytes("\0\x1f\x7f\xff", 4), "\"\\x00\\x1f\\x7f\\xff\"");
    CU_ASSERT_STRING_EQUAL(bytes("0123456789abcdef0123456789abcdef", 32),
                           "\"0123456789abcdef0123456789abcdef\"");
    CU_ASSERT_STRING_EQUAL(bytes("0123456789abcdef0123456789abcdef?", 33),
                           "\"0123456789abcdef0123456789abcdef\"...");
    CU_ASSERT_STRING_EQUAL(bytes(NULL, 0), "\"\"");
    CU_ASSERT_STRING_EQUAL(bytes(NULL, 7), "NULL");
}

static void print_span_fits_the_unit(void)
{
    static const struct { int64_t ns; const char *text; } spans[] = {
        { 0, "0s" }, { 1, "1ns" }, { 999, "999ns" }, { 1000, "1us" }, { 1500, "1.5us" },
        { 99900, "99.9us" }, { 100900, "100us" }, { COOP_MS(20), "20ms" },
        { COOP_MS(1500), "1.5s" }, { COOP_S(59), "59s" }, { COOP_S(60), "1min" },
        { COOP_S(90), "1.5min" }, { COOP_S(3600), "1h" }, { COOP_S(360000), "100h" },
        { -1, "-1ns" }, { -COOP_MS(1500), "-1.5s" }, { INT64_MAX, "2562047h" },
        { INT64_MIN, "-2562047h" },
    };
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
        char buf[40];
        coop_text text = { .data = buf, .size = sizeof buf };
        coop_print_span(&text, spans[i].ns);
        TEXT_IS(text, spans[i].text);
    }
}

static void results_are_numbers_and_names(void)
{
    static const struct { coop_value value; const char *text; } results[] = {
        { 0, "0" }, { 2, "2" }, { -EBADF, "-9 EBADF" }, { -ECANCELED, "-125 ECANCELED" },
        { -EDEADLK, "-35 EDEADLK" }, { -EAGAIN, "-11 EAGAIN" }, { -99999, "-99999" },
    };
    for (size_t i = 0; i < sizeof results / sizeof *results; i++) {
        char buf[40];
        coop_text text = { .data = buf, .size = sizeof buf };
        coop_result_text(results[i].value, &text);
        TEXT_IS(text, results[i].text);
    }
}

/* ---- Calls */

static const char *call_text(void *call, const coop_call_type *type,
                             const coop_value *result)
{
    static char buf[200];
    coop_text text = { .data = buf, .size = sizeof buf };
    ((coop_call *)call)->type = type;
    coop_call_text(call, result, &text);
    coop_call_text(call, result, NULL);
    return buf;
}

#define CALL_IS(expected, result, NAME, ...) CU_ASSERT_STRING_EQUAL( \
    call_text(&(struct coop_##NAME){ __VA_ARGS__ }, &coop_##NAME##_type, result), \
    expected)

static void calls_with_their_arguments(void)
{
    const coop_value none = 0, two = 2, bad = -EBADF, fault = -EFAULT;
    char buf[] = "hi there", at[] = "127.0.0.1:80";
    CALL_IS("GetTid()", NULL, GetTid, .base = {0});
    CALL_IS("GetTid() = 2", &two, GetTid, .base = {0});
    CALL_IS("Yield() = 0", &none, Yield, .base = {0});
    CALL_IS("Exit(-9 EBADF)", NULL, Exit, .value = -EBADF);
    CALL_IS("Sleep(1.5s)", NULL, Sleep, .ns = COOP_MS(1500));
    CALL_IS("WaitTask(7) = -9 EBADF", &bad, WaitTask, .tid = 7);
    CALL_IS("KillTask(7)", NULL, KillTask, .tid = 7);
    CALL_IS("KillTask(7, wait)", NULL, KillTask, .tid = 7, .wait = true);
    CALL_IS("NewTask(NULL)", NULL, NewTask, .target = NULL);
    CALL_IS("NewTask(joe)", NULL, NewTask, .name = "joe");
    CALL_IS("ReadWait(5)", NULL, ReadWait, .fd = 5);
    CALL_IS("WriteWait(5)", NULL, WriteWait, .fd = 5);
    CALL_IS("Close(5) = -9 EBADF", &bad, Close, .fd = 5);
    CALL_IS("Listen(NULL)", NULL, Listen, .backlog = 1);
    CALL_IS("Listen(tcp://:0)", NULL, Listen, .address = "tcp://:0");
    CALL_IS("Listen(tcp://1) = 2", &two, Listen, .address = "tcp://:0", .bound = "tcp://1",
            .bound_size = 8);
    CALL_IS("Accept(5)", NULL, Accept, .fd = 5, .peer = at, .peer_size = sizeof at);
    CALL_IS("Accept(5, 127.0.0.1:80) = 2", &two, Accept, .fd = 5, .peer = at,
            .peer_size = sizeof at);
    CALL_IS("Recv(5, 8)", NULL, Recv, .fd = 5, .buf = buf, .len = 8);
    CALL_IS("Recv(5, \"hi\", 8) = 2", &two, Recv, .fd = 5, .buf = buf, .len = 8);
    CALL_IS("Recv(5, \"\", 8) = 0", &none, Recv, .fd = 5, .buf = buf, .len = 8);
    CALL_IS("Recv(5, 8) = -9 EBADF", &bad, Recv, .fd = 5, .buf = buf, .len = 8);
    CALL_IS("Send(5, \"hi\", 2) = 2", &two, Send, .fd = 5, .buf = buf, .len = 2);
    CALL_IS("Send(5, \"hi\", 2 (1 sent))", NULL, Send, .fd = 5, .buf = buf, .len = 2,
            .sent = 1);
    CALL_IS("Send(5, NULL, 2)", NULL, Send, .fd = 5, .len = 2);
    CALL_IS("Send(5, 0x10, 2)", NULL, Send, .fd = 5, .buf = (void *)16, .len = 2);
    CALL_IS("Send(5, 0x10, 2) = -14 EFAULT", &fault, Send, .fd = 5, .buf = (void *)16,
            .len = 2);
    coop_call_text(NULL, NULL, NULL);
}

#ifdef HAVE_PROCESS_VM_READV
/* Of the buffer only the first bytes are mapped. */
static void bytes_that_end_where_memory_does(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *memory = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CU_ASSERT_FATAL(memory != MAP_FAILED);
    IS(munmap(memory + page, page), 0);
    char *last = memory + page - 10, address[40], call[80];
    memcpy(last, "0123456789", 10);
    snprintf(address, sizeof address, "%p", (void *)last);
    snprintf(call, sizeof call, "Send(5, %s, 11)", address);
    CU_ASSERT_STRING_EQUAL(bytes(last, 10), "\"0123456789\"");
    errno = 0;
    CU_ASSERT_STRING_EQUAL(bytes(last, 11), address);
    CU_ASSERT_STRING_EQUAL(bytes(last, 4096), address);
    CALL_IS(call, NULL, Send, .fd = 5, .buf = last, .len = 11);
    munmap(memory, page);
}
#endif

/* ---- Tasks */

static char seen[20000];

static coop_text seeing(void)
{
    seen[0] = '\0';
    return (coop_text){ .data = seen, .size = sizeof seen };
}

/* Without the numbers of lines, which change with this file. */
static void seen_is(const char *expected)
{
    char *to = seen;
    for (const char *from = seen; *from; from++) {
        if (from > seen + 1 && *from == ':' && from[-1] == 'c' && from[-2] == '.')
            from += strspn(from + 1, "0123456789") + 1;
        *to++ = *from;
    }
    *to = '\0';
    if (strcmp(seen, expected))
        printf("\n%s", seen);
    CU_ASSERT_STRING_EQUAL(seen, expected);
}

coop_routine(sleep_inside, int unused;)
{
    coop_begin;
    coop_trap(coop_void, Sleep, .ns = COOP_S(100));
    coop_end;
}

coop_routine(sleeper, int unused;)
{
    coop_begin;
    coop_await(coop_void, sleep_inside);
    coop_finally;
    coop_trap(coop_void, Yield);
    coop_end;
}

coop_routine(brief, int unused;)
{
    coop_begin;
    coop_end;
}

coop_routine(looker, coop_tid child, sleeper; coop_value r;)
{
    coop_begin;
    coop_trap(my->sleeper, NewTask, .target = coop_create(sleeper), .name = "sleepy head");
    coop_trap(my->child, NewTask, .target = coop_create(brief));
    coop_trap(coop_void, Sleep, .ns = COOP_MS(1500));
    coop_spawn(brief);
    coop_text text = seeing();
    IS(coop_ps(&text), 0);
    seen_is("  TID PARENT STATE      SLICES  WAITED  TASK\n"
            "    1      0 running         4       -  looker  at test_text.c\n"
            "    2      1 waiting         1    1.5s  sleepy head  Sleep(1.6min)"
            "  at test_text.c\n"
            "                                        #0 sleep_inside at test_text.c\n"
            "                                        #1 sleeper at test_text.c\n"
            "    3      0 waiting         2      0s  [iopoll]"
            "  Poll(0 descriptors, timer in 1.6min)  at iopoll.c\n"
            "    4      1 ended           1       -  brief\n"
            "    5      1 ready           0       -  brief  at test_text.c\n");
    text = seeing();
    IS(coop_bt(my->sleeper, &text), 0);
    seen_is("2 sleepy head, waiting in Sleep(1.6min), created at test_text.c\n"
            "  #0 sleep_inside at test_text.c\n"
            "  #1 sleeper at test_text.c\n");
    text = seeing();
    IS(coop_bt(4, &text), 0);
    IS(coop_bt(coop_self(), &text), 0);
    seen_is("4 brief, ended, created at test_text.c\n"
            "1 looker, running, created at test_text.c\n"
            "  #0 looker at test_text.c\n");
    coop_trap(my->r, KillTask, .tid = my->sleeper);
    text = seeing();
    IS(coop_bt(my->sleeper, &text), 0);
    seen_is("2 sleepy head, ending, created at test_text.c\n"
            "  #0 sleeper at test_text.c\n");
    coop_end;
}

static void ps_and_bt_show_tasks(void)
{
    WORLD(0, looker);
}

coop_routine(deep, int depth; coop_value r;)
{
    coop_begin;
    if (my->depth > 1) {
        coop_await(my->r, deep, .depth = my->depth - 1);
        coop_return(my->r);
    }
    coop_text text = seeing();
    coop_return(coop_bt(coop_self(), &text));
    coop_end;
}

static int lines_seen(void)
{
    int n = 0;
    for (const char *at = seen; (at = strchr(at, '\n')); at++)
        n++;
    return n;
}

static void bt_shows_both_ends_of_a_deep_stack(void)
{
    world_open(0);
    IS(coop_main(deep, .depth = 32), 0);
    IS(lines_seen(), 33);
    CU_ASSERT_PTR_NULL(strstr(seen, "..."));
    IS(coop_main(deep, .depth = 1000), 0);
    IS(lines_seen(), 34);
    CU_ASSERT_PTR_NOT_NULL(strstr(seen, "\n  #15 deep at test_text.c:"));
    CU_ASSERT_PTR_NOT_NULL(strstr(seen, "\n  ... 968 frames\n  #984 deep at test_text.c:"));
    CU_ASSERT_PTR_NOT_NULL(strstr(seen, "\n  #999 deep at test_text.c:"));
    world_close();
}

static void ps_and_bt_of_nothing(void)
{
    coop_text text = seeing();
    IS(coop_bt(1, &text), -ESRCH);
    IS(coop_ps(&text), 0);
    seen_is("  TID PARENT STATE      SLICES  WAITED  TASK\n");
    IS(coop_ps(NULL), 0);
    world_open(0);
    text = seeing();
    IS(coop_bt(1, &text), -ESRCH);
    IS(coop_bt(0, &text), -ESRCH);
    IS(coop_bt(-1, NULL), -ESRCH);
    seen_is("");
    IS(coop_ps(&text), 0);
    seen_is("  TID PARENT STATE      SLICES  WAITED  TASK\n");
    world_close();
}

static const suite_test tests[] = {
    { "print_appends", print_appends },
    { "print_cuts_what_does_not_fit", print_cuts_what_does_not_fit },
    { "print_into_next_to_nothing", print_into_next_to_nothing },
    { "print_is_flushed_when_full", print_is_flushed_when_full },
    { "print_of_much_at_once", print_of_much_at_once },
    { "print_bytes_quotes", print_bytes_quotes },
    { "print_span_fits_the_unit", print_span_fits_the_unit },
    { "results_are_numbers_and_names", results_are_numbers_and_names },
    { "calls_with_their_arguments", calls_with_their_arguments },
#ifdef HAVE_PROCESS_VM_READV
    { "bytes_that_end_where_memory_does", bytes_that_end_where_memory_does },
#endif
    { "ps_and_bt_show_tasks", ps_and_bt_show_tasks },
    { "bt_shows_both_ends_of_a_deep_stack", bt_shows_both_ends_of_a_deep_stack },
    { "ps_and_bt_of_nothing", ps_and_bt_of_nothing },
};

int main(int argc, char **argv)
{
    return world_main("text", tests, SUITE_COUNT(tests), argc, argv,
                      "ps_and_bt_show_tasks bt_shows_both_ends_of_a_deep_stack");
}
