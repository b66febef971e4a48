#define _POSIX_C_SOURCE 200809L
#include "commands.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- Texts ---------------------------------------------------------------------- */

static void take(coop_text *text)
{
    struct reply *reply = text->arg;
    char *data = realloc(reply->data, reply->len + text->used + 1);

    if (data) {
        memcpy(data + reply->len, text->data, text->used);
        reply->data = data;
        reply->len += text->used;
        data[reply->len] = '\0';
    }
    reply->failed |= !data;
    text->used = 0;
}

void reply_begin(struct reply *reply)
{
    reply_free(reply);
    reply->text = (coop_text){
        .data = reply->part, .size = sizeof reply->part, .flush = take, .arg = reply
    };
}

const char *reply_end(struct reply *reply)
{
    take(&reply->text);
    return reply->failed ? "no memory for the answer" : reply->data;
}

void reply_free(struct reply *reply)
{
    free(reply->data);
    reply->data = NULL;
    reply->len = 0;
    reply->failed = false;
}

char *next_word(char **text)
{
    char *word = *text + strspn(*text, " \t");
    char *end = word + strcspn(word, " \t");

    *text = end + strspn(end, " \t");
    *end = '\0';
    return word;
}

coop_tid parse_tid(const char *word, coop_text *text)
{
    char *end;
    long long tid;

    errno = 0;
    tid = strtoll(word, &end, 10);
    if (*word >= '0' && *word <= '9' && !*end && tid > 0 && tid <= INTPTR_MAX && !errno)
        return (coop_tid)tid;
    coop_print(text, "%s is not the number of a task; ps shows them\n", word);
    return 0;
}

bool is_program(coop_tid tid, coop_text *text)
{
    coop_info info;
    coop_tid at = tid;

    do
        for (struct client *client = server.clients; client; client = client->next)
            if (client_job(client, at))
                return true;
    while (coop_inspect(at, &info) == 0 && (at = info.parent) > 0);
    if (coop_inspect(tid, &info) < 0)
        coop_print(text, "there is no task %td\n", tid);
    else
        coop_print(text, "task %td (%s) is no program: -1 EPERM\n", tid, info.name);
    return false;
}

/* ---- Commands that need no trap ------------------------------------------------- */

static void help(struct client *, char *, coop_text *);

static void ps(struct client *client, char *rest, coop_text *text)
{
    coop_tid tid;

    (void)client;
    if (!*rest) {
        if (coop_ps(text) < 0)
            coop_print(text, "no memory for the table\n");
        return;
    }
    tid = parse_tid(rest, text);
    if (tid > 0 && coop_bt(tid, text) < 0)
        coop_print(text, "there is no task %td\n", tid);
}

static void job_state(const struct job *job, coop_text *text)
{
    coop_info info;

    if (job->status.end != COOP_NO_END)
        status_text(&job->status, text);
    else if (coop_inspect(job->tid, &info) == 0 && info.call) {
        coop_print(text, "in ");
        coop_call_text(info.call, NULL, text);
    } else
        coop_print(text, "ready to run");
}

static void jobs(struct client *client, char *rest, coop_text *text)
{
    (void)rest;
    for (size_t i = 0; i < client->job_count; i++) {
        coop_print(text, "%4td  %-20s  ", client->jobs[i]->tid, client->jobs[i]->line);
        job_state(client->jobs[i], text);
        coop_print(text, "\n");
    }
    if (client->job_count == 0)
        coop_print(text, "no jobs; spawn starts one\n");
}

static void trace_off(struct client *client, coop_tid tid, coop_text *text)
{
    for (int i = 0; i < TRACES_MAX; i++) {
        if (client->traced[i] != tid)
            continue;
        client->traced[i] = 0;
        coop_print(text, "task %td is traced no more\n", tid);
        return;
    }
    coop_print(text, "task %td is not traced\n", tid);
}

/* Those that carry the traces to the clients: a line about them would cause the next. */
static bool carries_traces(coop_tid tid)
{
    coop_info info;

    for (const struct client *client = server.clients; client; client = client->next)
        if (client->writer == tid)
            return true;
    return tid == server.task || (coop_inspect(tid, &info) == 0 && info.system);
}

static void trace_on(struct client *client, coop_tid tid, coop_text *text)
{
    coop_info info;
    int place = -1;

    for (int i = 0; i < TRACES_MAX && place < 0; i++)
        if (client->traced[i] == 0 || client->traced[i] == tid)
            place = i;
    if (coop_inspect(tid, &info) < 0)
        coop_print(text, "there is no task %td\n", tid);
    else if (info.state == COOP_ENDED)
        coop_print(text, "task %td has ended\n", tid);
    else if (carries_traces(tid))
        coop_print(text, "task %td (%s) carries the traces: tracing it would never end\n",
                   tid, info.name);
    else if (place < 0)
        coop_print(text, "you trace %d tasks; that is the most\n", TRACES_MAX);
    else {
        client->traced[place] = tid;
        coop_print(text, "task %td (%s) is traced\n", tid, info.name);
    }
}

static void trace(struct client *client, char *rest, coop_text *text)
{
    coop_tid tid = parse_tid(next_word(&rest), text);

    if (tid <= 0)
        return;
    if (strcmp(rest, "on") == 0 || !*rest)
        trace_on(client, tid, text);
    else if (strcmp(rest, "off") == 0)
        trace_off(client, tid, text);
    else
        coop_print(text, "usage: trace TID on|off\n");
}

static void echo(struct client *client, char *rest, coop_text *text)
{
    (void)client;
    coop_print(text, "%s\n", rest);
}

static void uptime(struct client *client, char *rest, coop_text *text)
{
    struct timespec now;

    (void)client;
    (void)rest;
    clock_gettime(CLOCK_MONOTONIC, &now);
    coop_print(text, "up ");
    coop_print_span(text, COOP_S(now.tv_sec - server.start.tv_sec) + now.tv_nsec
                    - server.start.tv_nsec);
    coop_print(text, ", %d client%s of %d so far, %td tasks\n", server.client_count,
               server.client_count == 1 ? "" : "s", server.client_number,
               coop_tasks(NULL, 0));
}

/* ---- The table ------------------------------------------------------------------ */

static const struct command commands[] = {
    { "help", "help", "this text", .run = help },
    { "ps", "ps [TID]", "all tasks: the call each waits in, its call stack", .run = ps },
    { "spawn", "spawn PROGRAM [ARGS]", "start a program; its lines begin with [TID NAME]",
      .kind = COMMAND_SPAWN, .needs = true },
    { "jobs", "jobs", "the programs that you spawned", .run = jobs },
    { "wait", "wait [TID]", "wait for a program's end, or for all of yours",
      .kind = COMMAND_WAIT },
    { "kill", "kill TID", "end a program", .kind = COMMAND_KILL, .needs = true },
    { "say", "say TEXT", "tell your newest program that listens a line",
      .kind = COMMAND_SAY, .needs = true },
    { "trace", "trace TID on|off", "show each system call of a task", .needs = true,
      .run = trace },
    { "echo", "echo TEXT", "print a text", .run = echo },
    { "uptime", "uptime", "how long the server runs, and for how many", .run = uptime },
    { "quit", "quit", "leave; what you spawned is killed", .kind = COMMAND_QUIT }
};

enum { COMMANDS = sizeof commands / sizeof *commands };

static void help(struct client *client, char *rest, coop_text *text)
{
    (void)client;
    (void)rest;
    coop_print(text, "commands:\n");
    for (int i = 0; i < COMMANDS; i++)
        coop_print(text, "  %-22s %s\n", commands[i].usage, commands[i].help);
    coop_print(text, "programs to spawn:\n");
    for (const struct program *program = programs; program->name; program++)
        coop_print(text, "  %-22s %s\n", program->usage, program->help);
}

static bool is_readable(const char *line, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (((unsigned char)line[i] < ' ' && line[i] != '\t') || line[i] == 127)
            return false;
    return true;
}

const struct command *command_parse(char *line, size_t len, char **rest, coop_text *text)
{
    const char *name;

    if (len > LINE_LIMIT) {
        coop_print(text, "the line is too long: %d bytes are the most\n", LINE_LIMIT);
        return NULL;
    }
    if (!is_readable(line, len)) {
        coop_print(text, "this is not text: ");
        coop_print_bytes(text, line, len);
        coop_print(text, "\n");
        return NULL;
    }
    *rest = line;
    name = next_word(rest);
    for (int i = 0; i < COMMANDS; i++) {
        if (strcmp(name, commands[i].name) != 0)
            continue;
        if (commands[i].needs && !**rest) {
            coop_print(text, "usage: %s\n", commands[i].usage);
            return NULL;
        }
        return &commands[i];
    }
    if (*name) {
        coop_print(text, "unknown command: ");
        coop_print_bytes(text, name, strlen(name));
        coop_print(text, "; type help\n");
    }
    return NULL;
}
