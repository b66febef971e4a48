/* The task server as a process of its own: its commands, its start and its end. */
#include "config.h"
#include "session.h"
#include "suite.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static talk a, b;

/* ---- Commands ------------------------------------------------------------------- */

static void help_names_all(void)
{
    static const char *const words[] = {
        "ps", "spawn PROGRAM", "jobs", "wait", "kill TID", "say TEXT", "trace TID on|off",
        "echo TEXT", "uptime", "quit", "count", "primes", "sleep", "spinner", "fail",
        "pingpong", "echo", "chat NAME"
    };

    start();
    join(&a);
    ask(&a, "help", "commands:\n");
    for (size_t i = 0; i < SUITE_COUNT(words); i++)
        GETS(&a, words[i]);
    talk_close(&a);
    stop();
}

static void ps_shows_what_tasks_do(void)
{
    long tid;

    start();
    join(&a);
    tid = spawn(&a, "sleep 1000");
    ask(&a, "ps", "Accept(");
    GETS(&a, "client.c:");
    GETS(&a, "WaitOutput(client 1, ");
    GETS(&a, "#0 execute at shell.c");
    GETS(&a, with_tid("%5ld", tid));
    GETS(&a, "waiting");
    GETS(&a, "sleep  Sleep(");
    GETS(&a, "at programs.c:");
    ask(&a, with_tid("ps %ld", tid), "Sleep(");
    GETS(&a, "programs.c:");
    ask(&a, "ps 99999", "there is no task 99999\n");
    ask(&a, "jobs", "sleep 1000  ");
    GETS(&a, "in Sleep(");
    talk_close(&a);
    stop();
}

static void programs_run_and_are_waited_for(void)
{
    long tid;

    start();
    join(&a);
    ask(&a, "wait", "no jobs to wait for\n");
    ask(&a, "jobs", "no jobs; spawn starts one\n");
    tid = spawn(&a, "count 3");
    GETS(&a, with_tid("[%ld count] 1\n", tid));
    GETS(&a, with_tid("[%ld count] 2\n", tid));
    GETS(&a, with_tid("[%ld count] 3\n", tid));
    GETS(&a, with_tid("[%ld count] returned 3\n", tid));
    ask(&a, "jobs", "returned 3\n");
    ask(&a, with_tid("wait %ld", tid), with_tid("task %ld returned 3\n", tid));
    ask(&a, with_tid("wait %ld", tid), with_tid("there is no task %ld\n", tid));
    tid = spawn(&a, "primes 20");
    ask(&a, "wait", " primes] 2\n");
    GETS(&a, " primes] 19\n");
    GETS(&a, with_tid("task %ld returned 8\n", tid));
    tid = spawn(&a, "fail 104");
    ask(&a, "wait", with_tid("task %ld failed -104 ECONNRESET\n", tid));
    tid = spawn(&a, "sleep 0.01");
    ask(&a, "wait", with_tid("[%ld sleep] slept 10ms\n", tid));
    GETS(&a, with_tid("task %ld returned 0\n", tid));
    spawn(&a, "pingpong 2");
    GETS(&a, " pingpong] ping 1\n");
    GETS(&a, " pong] pong 1\n");
    GETS(&a, " pingpong] ping 2\n");
    GETS(&a, " pong] pong 2\n");
    GETS(&a, " pingpong] returned 2\n");
    talk_close(&a);
    stop();
}

static void kill_ends_programs_alone(void)
{
    long tid, pong;

    start();
    join(&a);
    join(&b);
    tid = spawn(&a, "spinner 1000");
    GETS(&a, "thinking\n");
    ask(&a, with_tid("kill %ld", tid), with_tid("task %ld is killed\n", tid));
    ask(&a, with_tid("kill %ld", tid), with_tid("task %ld has ended\n", tid));
    ask(&a, with_tid("wait %ld", tid), with_tid("task %ld killed by ", tid));
    tid = spawn(&a, "spinner 1000");
    GETS(&a, "thinking\n");
    ask(&b, with_tid("kill %ld", tid), with_tid("task %ld is killed\n", tid));
    GETS(&a, with_tid("[%ld spinner] killed by ", tid));
    tid = spawn(&a, "pingpong 1000000000");
    GETS(&a, "ping 1\n[");
    pong = talk_number(&a, "", " pong]");
    talk_send(&a, with_tid("kill %ld\n", pong));
    GETS(&a, with_tid("[%ld pingpong] failed -32 EPIPE\n", tid));
    for (long system = 1; system <= 6; system++)
        ask(&b, with_tid("kill %ld", system), "is no program: -1 EPERM\n");
    ask(&b, "wait 1", "is no program: -1 EPERM\n");
    ask(&b, "kill 99999", "there is no task 99999\n");
    ask(&b, "echo still here", "still here\n");
    talk_close(&a);
    talk_close(&b);
    stop();
}

static void wrong_commands_get_answers(void)
{
    static const char *const wrong[][2] = {
        { "frobnicate", "unknown command: \"frobnicate\"; type help\n" },
        { "HELP", "unknown command: \"HELP\"; type help\n" },
        { "spawn", "usage: spawn PROGRAM [ARGS]\n" },
        { "spawn nothing", "there is no program nothing" },
        { "spawn count x", "usage: spawn count [N [SECONDS]]\n" },
        { "spawn count -1", "usage: spawn count [N [SECONDS]]\n" },
        { "spawn count 1 2 3", "usage: spawn count [N [SECONDS]]\n" },
        { "spawn count 99999999999999999999", "usage: spawn count" },
        { "spawn sleep 1e999", "usage: spawn sleep [SECONDS]\n" },
        { "spawn sleep nan", "usage: spawn sleep [SECONDS]\n" },
        { "spawn chat", "usage: spawn chat NAME\n" },
        { "spawn chat waytoolongforaname", "usage: spawn chat NAME\n" },
        { "kill", "usage: kill TID\n" },
        { "kill me", "me is not the number of a task; ps shows them\n" },
        { "kill 0", "0 is not the number of a task" },
        { "kill -1", "-1 is not the number of a task" },
        { "kill 99999999999999999999", "99999999999999999999 is not the number of a task" },
        { "wait 77777", "there is no task 77777\n" },
        { "trace", "usage: trace TID on|off\n" },
        { "trace 1 maybe", "usage: trace TID on|off\n" },
        { "trace 77777 on", "there is no task 77777\n" },
        { "trace 1 on", "tracing it would never end\n" },
        { "trace 2 off", "task 2 is not traced\n" },
        { "echo", "\n" },
        { "say hello", "none of your programs listens; try spawn chat NAME\n" },
        { "\n \n\t", "" }
    };

    start();
    join(&a);
    for (size_t i = 0; i < SUITE_COUNT(wrong); i++)
        ask(&a, wrong[i][0], wrong[i][1]);
    ask(&a, "uptime", "1 client of 1 so far, 6 tasks\n");
    ask(&a, "  echo  two  words ", "two  words \n");
    ask(&a, "echo \xc3\xbc", "\xc3\xbc\n");
    talk_close(&a);
    stop();
}

static void trace_shows_each_call(void)
{
    long tid;

    start();
    join(&a);
    tid = spawn(&a, "echo");
    ask(&a, with_tid("trace %ld on", tid), with_tid("task %ld (echo) is traced\n", tid));
    ask(&a, "say hi", with_tid(" [%ld echo] ", tid));
    GETS(&a, "GetLine(echo, \"hi\") = 2");
    GETS(&a, "programs.c:");
    GETS(&a, "Print(client 1, \"hi\") = 0");
    ask(&a, with_tid("trace %ld off", tid), "is traced no more\n");
    ask(&a, "say ho", with_tid("[%ld echo] ho\n", tid));
    ask(&a, with_tid("trace %ld", tid), "is traced\n");
    ask(&a, with_tid("kill %ld", tid), with_tid("[%ld echo] - killed by", tid));
    talk_send(&a, "quit\n");
    CU_ASSERT_PTR_NOT_NULL(talk_rest(&a));
    talk_close(&a);
    stop();
}

static void no_more_jobs_than_32(void)
{
    start();
    join(&a);
    for (int i = 0; i < 32; i++)
        spawn(&a, "sleep 1000");
    ask(&a, "spawn count 1", "32 programs of yours run; that is the most\n");
    talk_close(&a);
    join(&b);
    for (int i = 0; i < 100; i++)
        spawn(&b, "count 0");
    talk_close(&b);
    stop();
}

static void two_clients_chat(void)
{
    start();
    join(&a);
    join(&b);
    spawn(&a, "chat ann");
    GETS(&a, "chat] ann joined; here: ann\n");
    spawn(&b, "chat bob");
    GETS(&b, "chat] bob joined; here: bob ann\n");
    GETS(&a, "chat] bob joined; here: bob ann\n");
    talk_send(&a, "say hello, bob\n");
    GETS(&a, "chat] ann: hello, bob\n");
    GETS(&b, "chat] ann: hello, bob\n");
    spawn(&b, "chat ann");
    GETS(&b, "chat] ann is here already\n");
    GETS(&b, "chat] failed -17 EEXIST\n");
    talk_send(&b, "say hello, ann\n");
    GETS(&a, "chat] bob: hello, ann\n");
    talk_send(&b, "quit\n");
    GETS(&a, "chat] bob left\n");
    CU_ASSERT_PTR_NOT_NULL(talk_rest(&b));
    talk_close(&a);
    talk_close(&b);
    stop();
}

/* ---- The server's start and end ------------------------------------------------- */

static void stop_in_order(int signal)
{
    start();
    join(&a);
    join(&b);
    spawn(&a, "spinner 1000");
    spawn(&a, "count 1000000000 1000");
    spawn(&a, "pingpong 1000000000");
    spawn(&b, "chat bob");
    kill(server, signal);
    GETS(&b, "chat] killed by ");
    GETS(&b, "the server stops; good bye\n");
    CU_ASSERT_STRING_EQUAL(talk_rest(&b), "");
    GETS(&a, "spinner] killed by ");
    GETS(&a, "the server stops; good bye\n");
    CU_ASSERT_STRING_EQUAL(talk_rest(&a), "");
    GETS(&out, "taskserver: stopping\n");
    GETS(&out, "taskserver: stopped: 2 clients, ");
    GETS(&out, " tasks ended\n");
    CU_ASSERT(talk_status(server) == 0);
    CU_ASSERT_STRING_EQUAL(talk_rest(&out), "");
    close(out.fd);
    talk_close(&a);
    talk_close(&b);
}

static void ctrl_c_stops_in_order(void)
{
    stop_in_order(SIGINT);
}

static void sigterm_stops_in_order(void)
{
    stop_in_order(SIGTERM);
}

/* The stop takes a second here, since it waits for one who does not read; so the second
   signal finds the server running, unless the machine is very slow. */
static void second_ctrl_c_ends_at_once(void)
{
    long tid;
    int status;

    start();
    join(&a);
    tid = spawn(&a, "count 1000000000");
    join(&b);
    while (!is_in(&b, tid, "Print("))
        continue;
    kill(server, SIGINT);
    GETS(&out, "taskserver: stopping\n");
    kill(server, SIGINT);
    status = server_status();
    CU_ASSERT(status == 1000 + SIGINT || status == 0);
    talk_close(&a);
    talk_close(&b);
}

static int status_of(const char *option, const char *value, const char *text)
{
    pid_t pid = talk_start(&out, 0, program(), option, value, NULL);
    int status;

    CU_ASSERT(talk_gets(&out, text));
    status = talk_status(pid);
    close(out.fd);
    return status;
}

static void options_are_checked(void)
{
    CU_ASSERT(status_of("--help", NULL, "usage: taskserver [--host HOST]") == 0);
    CU_ASSERT(status_of("--port", NULL, "usage: ") == 2);
    CU_ASSERT(status_of("--port", "65536", "usage: ") == 2);
    CU_ASSERT(status_of("--port", "-1", "usage: ") == 2);
    CU_ASSERT(status_of("--port", "http", "usage: ") == 2);
    CU_ASSERT(status_of("--patience", "soon", "usage: ") == 2);
    CU_ASSERT(status_of("--nonsense", NULL, "usage: ") == 2);
    CU_ASSERT(status_of("more", NULL, "usage: ") == 2);
    CU_ASSERT(status_of("--host", "nowhere", "nowhere is not an address") == 1);
}

static void port_in_use_is_told(void)
{
    char number[16];
    talk other;
    pid_t pid;

    start();
    snprintf(number, sizeof number, "%d", port);
    pid = talk_start(&other, 0, program(), "--port", number, NULL);
    GETS(&other, "is in use");
    CU_ASSERT(talk_status(pid) == 1);
    close(other.fd);
    stop();
}

static void out_of_descriptors_is_survived(void)
{
    static talk many[96];
    int count = 0;

    start_with(64, "1000");
    join(&a);
    while (count < 96)
        talk_connect(&many[count++], port);
    GETS(&out, "cannot accept: ");
    GETS(&out, "new clients wait\n");
    ask(&a, "echo fine", "fine\n");
    for (int i = 0; i < count; i++)
        talk_close(&many[i]);
    talk_connect(&b, port);
    GETS(&b, "type help\n");
    talk_close(&a);
    talk_close(&b);
    stop();
}

static const suite_test tests[] = {
    { "help_names_all", help_names_all },
    { "ps_shows_what_tasks_do", ps_shows_what_tasks_do },
    { "programs_run_and_are_waited_for", programs_run_and_are_waited_for },
    { "kill_ends_programs_alone", kill_ends_programs_alone },
    { "wrong_commands_get_answers", wrong_commands_get_answers },
    { "trace_shows_each_call", trace_shows_each_call },
    { "no_more_jobs_than_32", no_more_jobs_than_32 },
    { "two_clients_chat", two_clients_chat },
    { "ctrl_c_stops_in_order", ctrl_c_stops_in_order },
    { "sigterm_stops_in_order", sigterm_stops_in_order },
    { "second_ctrl_c_ends_at_once", second_ctrl_c_ends_at_once },
    { "options_are_checked", options_are_checked },
    { "port_in_use_is_told", port_in_use_is_told },
    { "out_of_descriptors_is_survived", out_of_descriptors_is_survived }
};

int main(int argc, char **argv)
{
    int status = suite_main("taskserver", tests, SUITE_COUNT(tests), argc, argv);

    kill_server();
    return status;
}
