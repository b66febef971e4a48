/* Each plain function for fibers makes its call, with each argument in its place: what a trace
   shows of it tells. Routines of the library are told by what they do. */
#include "both.h"
#include "kernel/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static char seen[300];

static void note(coop_observer *o, const coop_event *e)
{
    coop_text text = { .data = seen, .size = sizeof seen };
    (void)o;
    if (e->kind == COOP_TRAP && e->tid == 1)
        coop_call_text(e->call, NULL, &text);
}

static void makes(const char *text, const char *file, unsigned line)
{
    bool right = !strcmp(seen, text);
    char message[700];
    snprintf(message, sizeof message, "made is '%s', not '%s'", text, seen);
    CU_assertImplementation(right, line, right ? "" : message, file, "", CU_FALSE);
    seen[0] = '\0';
}

/* What the call gives, and how a trace shows it. */
#define MAKES(call, value, text) (IS(call, value), makes(text, __FILE__, __LINE__))

coop_routine(idle, int unused;)
{
    coop_begin;
    coop_trap(coop_void, Sleep, .ns = 1000);
    coop_return(7);
    coop_end;
}

static coop_value tasks(void *arg)
{
    coop_status status;
    coop_group *group;
    coop_tid tid;
    coop_value v = 0;
    char text[60];
    (void)arg;
    MAKES(coop_get_tid(), 1, "GetTid()");
    MAKES(coop_yield(), 0, "Yield()");
    MAKES(coop_sleep(50), 0, "Sleep(50ns)");
    MAKES(coop_now(), 50, "Now()");
    tid = coop_new_task(coop_create(idle), "lazy");
    makes("NewTask(lazy)", __FILE__, __LINE__);
    snprintf(text, sizeof text, "WaitTask(%d)", (int)tid);
    MAKES(coop_wait_task(tid, &status), 7, text);
    IS(status.end == COOP_OK && status.tid == tid, 1);
    tid = coop_new_task(coop_create(idle), NULL);
    MAKES(coop_cancel(4711, false), -ESRCH, "Cancel(4711)");
    snprintf(text, sizeof text, "Cancel(%d, wait)", (int)tid);
    MAKES(coop_cancel(tid, true), 0, text);
    tid = coop_new_task(coop_create(idle), NULL);
    MAKES(coop_kill_task(4711, false), -ESRCH, "KillTask(4711)");
    snprintf(text, sizeof text, "KillTask(%d, wait)", (int)tid);
    MAKES(coop_kill_task(tid, true), 0, text);
    MAKES(coop_deadline(100), 0, "Deadline(100ns)");
    MAKES(coop_sleep(200), -ETIMEDOUT, "Sleep(200ns)");
    MAKES(coop_shield(true), 0, "Shield()");
    MAKES(coop_sleep(200), 0, "Sleep(200ns)");
    MAKES(coop_shield(false), 0, "Shield(off)");
    MAKES(coop_sleep(200), -ETIMEDOUT, "Sleep(200ns)");
    MAKES(coop_deadline(INT64_MAX), 0, "Deadline(off)");
    MAKES(coop_sleep(200), 0, "Sleep(200ns)");
    group = coop_group_open("crew", COOP_ANY);
    makes("Group(crew, any)", __FILE__, __LINE__);
    IS(coop_group_spawn(group, coop_create(idle), &v) > 0, 1);
    makes("GroupSpawn(crew, idle)", __FILE__, __LINE__);
    MAKES(coop_group_next(group, NULL), -EINVAL, "GroupNext(crew, 1 running)");
    MAKES(coop_group_wait(group), 7, "GroupWait(crew, 1 running)");
    IS(v, 7);
    MAKES(coop_group_cancel(group, "enough"), -EINVAL,
          "GroupCancel(crew, 0 running, \"enough\")");
    return coop_exit(42);
}

static coop_value one_of(void *arg)
{
    struct coop_Sleep nap;
    coop_call *const parts[] = { COOP_PART(nap, Sleep, .ns = 5) };
    coop_value v = 1;
    (void)arg;
    MAKES(coop_wait_any(parts, 1, &v), 0, "WaitAny(Sleep(5ns))");
    return v;
}

/* There is no descriptor, file, name or child of those. */
static coop_value descriptors(void *arg)
{
    char buf[8] = "abc", name[8];
    (void)arg;
    MAKES(coop_read_wait(-1), -EBADF, "ReadWait(-1)");
    MAKES(coop_write_wait(-2), -EBADF, "WriteWait(-2)");
    MAKES(coop_connect("tcp://"), -EINVAL, "Connect(tcp://)");
    MAKES(coop_accept(-3), -EBADF, "Accept(-3)");
    MAKES(coop_recv(-4, buf, 8), -EBADF, "Recv(-4, 8)");
    MAKES(coop_send(-5, buf, 3), -EBADF, "Send(-5, \"abc\", 3)");
    MAKES(coop_recv_from(-6, buf, 8, name, 2), -EBADF, "RecvFrom(-6, 8)");
    MAKES(coop_send_to(-7, buf, 2, "127.0.0.1:1"), -EBADF,
          "SendTo(-7, \"ab\", 2, to 127.0.0.1:1)");
    MAKES(coop_send_file(-8, -9, 10, 11), -EBADF, "SendFile(-8, -9, 10, 11)");
    MAKES(coop_sock_name(-10, true, name, 2), -EBADF, "SockName(-10, peer)");
    MAKES(coop_shutdown(-11, COOP_RECV), -EBADF, "Shutdown(-11, recv)");
    MAKES(coop_close(-12), -EBADF, "Close(-12)");
    return 0;
}

static coop_value files(void *arg)
{
    char buf[8] = "abc";
    coop_stat stat;
    (void)arg;
    MAKES(coop_read(-1, buf, 8), -EBADF, "Read(-1, 8)");
    MAKES(coop_write(-2, buf, 3), -EBADF, "Write(-2, \"abc\", 3)");
    MAKES(coop_open("/there/is/none", O_WRONLY | O_CREAT, 0600), -ENOENT,
          "Open(\"/there/is/none\", O_WRONLY|O_CREAT, 0600)");
    MAKES(coop_pread(-3, buf, 8, 4), -EBADF, "Pread(-3, 8, 4)");
    MAKES(coop_pwrite(-4, buf, 3, 5), -EBADF, "Pwrite(-4, \"abc\", 3, 5)");
    MAKES(coop_fsync(-5), -EBADF, "Fsync(-5)");
    MAKES(coop_get_stat("/there/is/none", &stat), -ENOENT, "Stat(\"/there/is/none\")");
    MAKES(coop_unlink("/there/is/none"), -ENOENT, "Unlink(\"/there/is/none\")");
    return 0;
}

static coop_value twice(void *arg)
{
    return 2 * *(int *)arg;
}

static coop_value others(void *arg)
{
    static const char *const argv[] = { "sh", "-c", "exit 3", NULL };
    coop_address found[2];
    int n = 21, signal = -1, pipes[3] = { 0, 0, 0 };
    char buf[4], text[60];
    coop_value pid;
    (void)arg;
    IS(coop_work(twice, &n), 42);
    MAKES(coop_resolve("127.0.0.1", found, 2), 1, "Resolve(\"127.0.0.1\")");
    CU_ASSERT_STRING_EQUAL(found[0].text, "127.0.0.1");
    MAKES(coop_random(buf, 4), 4, "Random(4)");
    MAKES(coop_signal_wait(0), -EINVAL, "SignalWait([])");
    pid = coop_child_spawn(argv, COOP_NOWHERE, COOP_PIPED, 2, pipes);
    IS(pid > 0 && pipes[0] == -1 && pipes[1] > 0 && pipes[2] == -1, 1);
    IS(coop_close(pipes[1]), 0);
    snprintf(text, sizeof text, "ChildWait(%d)", (int)pid);
    MAKES(coop_child_wait((int)pid, &signal), 3, text);
    IS(signal, 0);
    MAKES(coop_child_kill(-1, SIGTERM), -EINVAL, "ChildKill(-1, SIGTERM)");
    return 0;
}

static coop_value channels(void *arg)
{
    coop_chan *numbers = coop_chan_open(0, 1, "numbers");
    coop_chan *items = coop_chan_open(4, 1, "items");
    coop_door *door = coop_door_open(NULL, 0, "door");
    char item[4] = "abc", got[4];
    (void)arg;
    MAKES(coop_chan_send(numbers, 5), 0, "ChanSend(numbers, cap 1, 0 queued)");
    MAKES(coop_chan_recv(numbers, NULL), 5, "ChanRecv(numbers, cap 1, 1 queued)");
    MAKES(coop_chan_done(numbers), 0, "ChanDone(numbers, cap 1, 0 queued, 1 not done)");
    MAKES(coop_chan_join(numbers), 0, "ChanJoin(numbers, cap 1, 0 queued, 0 not done)");
    MAKES(coop_chan_close(numbers), 0, "ChanClose(numbers, cap 1, 0 queued)");
    MAKES(coop_chan_send_item(items, item), 0, "ChanSend(items, cap 1, 0 queued)");
    MAKES(coop_chan_recv(items, got), 0, "ChanRecv(items, cap 1, 1 queued)");
    IS(memcmp(item, got, 4), 0);
    IS(coop_knock(door), 0);
    MAKES(coop_door_wait(door), 0, "DoorWait(door)");
    coop_door_close(door);
    coop_chan_free(items);
    return coop_chan_free(numbers);
}

static coop_observer observer;

static void observe(void)
{
    observer = (coop_observer){ .event = note };
    IS(coop_observe(&observer), 0);
}

static void calls_about_tasks(void)
{
    world_open(0);
    observe();
    IS(coop_main(COOP_FIBER(tasks, NULL)), 42);
    world_close();
    world_open(0);
    observe();
    IS(coop_main(COOP_FIBER(one_of, NULL)), 0);
    world_close();
}

static void on_the_host(coop_value (*fn)(void *))
{
    outside_open();
    observe();
    IS(coop_main(COOP_FIBER(fn, NULL)), 0);
    outside_close();
}

static void calls_about_descriptors(void) { on_the_host(descriptors); }
static void calls_about_channels(void) { on_the_host(channels); }
static void calls_about_files(void) { on_the_host(files); }
static void other_calls(void) { on_the_host(others); }

/* Where the call stack of the running task ends. */
static const char *end_of_frames(void)
{
    return coop_this->current->co.sp;
}

/* Objects of calls are not on the call stack, but for those that stay. */
static coop_value makes_calls(void *arg)
{
    const char *end = end_of_frames();
    (void)arg;
    IS(coop_yield(), 0);
    IS(coop_sleep(1000), 0);
    IS(coop_recv(-1, NULL, 0), -EBADF);
    IS(coop_syscall_within(COOP_S(1), Sleep, .ns = 1000), 0);
    IS(coop_call(idle), 7);
    IS(coop_shield(false), 0);
    IS(end_of_frames() == end, 1);
    IS(coop_shield(true), 0);
    IS(end_of_frames() > end, 1);
    end = end_of_frames();
    IS(coop_sleep(1000), 0);
    IS(end_of_frames() == end, 1);
    return 0;
}

static void calls_leave_the_call_stack_as_it_was(void)
{
    world_open(0);
    IS(coop_main(COOP_FIBER(makes_calls, NULL)), 0);
    world_close();
}

/* ---- The library ---- */

/* Gives back a line as it is, and a frame twice. */
static coop_value serves(void *arg)
{
    coop_stream *s = coop_stream_open((int)(intptr_t)arg, 0);
    char *got;
    size_t length;
    if (coop_read_line(s, &got, &length) > 0) {
        coop_write_all(s, got, length);
        coop_write_all(s, "\n", 1);
    }
    if (coop_read_frame(s, &got, &length) > 0) {
        coop_write_frame(s, got, length);
        coop_write_all(s, got, length);
    }
    return coop_stream_close(s);
}

static coop_coroutine *let_in(int fd, const char *peer, void *arg)
{
    (void)peer;
    ++*(int *)arg;
    return coop_create(COOP_FIBER(serves, (void *)(intptr_t)fd));
}

struct service { int fd, clients; };

static coop_value service(void *arg)
{
    struct service *s = arg;
    return coop_serve(s->fd, let_in, &s->clients);
}

static coop_value talks(void *arg)
{
    struct service here = { .fd = coop_listen("tcp://127.0.0.1:0") };
    char name[40], address[60], buf[8], *got;
    size_t length;
    coop_tid tid;
    (void)arg;
    IS(here.fd > 0, 1);
    IS(coop_sock_name(here.fd, false, name, sizeof name), 0);
    snprintf(address, sizeof address, "tcp://%s", name);
    tid = coop_new_task(coop_create(COOP_FIBER(service, &here)), NULL);
    coop_stream *s = coop_stream_open(coop_dial(address, 0), 0);
    IS(coop_write_all(s, "one line\n", 9), 9);
    IS(coop_drain(s), 0);
    IS(coop_read_line(s, &got, &length), 9);
    CU_ASSERT_STRING_EQUAL(got, "one line");
    IS(coop_write_frame(s, "frame", 5), 9);
    IS(coop_read_frame(s, &got, &length), 9);
    IS(length, 5);
    IS(coop_read_exact(s, buf, 5), 5);
    IS(memcmp(buf, "frame", 5), 0);
    IS(coop_read_some(s, buf, 8), 0);
    IS(coop_stream_close(s), 0);
    IS(coop_close(here.fd), 0);
    IS(coop_wait_task(tid, NULL), 0);
    return here.clients;
}

coop_routine(square, coop_value n;)
{
    coop_begin;
    coop_return(my->n * my->n);
    coop_end;
}

static coop_value gathers(void *arg)
{
    coop_coroutine *targets[3];
    coop_value results[3];
    for (int i = 0; i < 3; i++)
        targets[i] = coop_create(square, .n = i + (intptr_t)arg);
    IS(coop_gather(targets, 3, results), 0);
    return results[0] + results[1] + results[2];
}

static void streams_and_servers(void) { BOTH(1, "", COOP_FIBER(talks, NULL)) }
static void several_at_once(void) { BOTH(50, "", COOP_FIBER(gathers, (void *)3)) }

static coop_value copies(void *arg)
{
    int from = coop_open("/dev/zero", O_RDONLY, 0), to = coop_open("/dev/null", O_WRONLY, 0);
    (void)arg;
    IS(coop_copy(from, to, 100000), 100000);
    return coop_close(from) + coop_close(to);
}

static void a_copy(void) { OUTSIDE(0, COOP_FIBER(copies, NULL)); }

static const suite_test tests[] = {
    TEST(calls_about_tasks),
    TEST(calls_about_descriptors),
    TEST(calls_about_channels),
    TEST(calls_about_files),
    TEST(other_calls),
    TEST(calls_leave_the_call_stack_as_it_was),
    TEST(streams_and_servers),
    TEST(several_at_once),
    TEST(a_copy),
};

int main(int argc, char **argv)
{
    return suite_main("fibercalls", tests, SUITE_COUNT(tests), argc, argv);
}
