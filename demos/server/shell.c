#include "commands.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Jobs ----------------------------------------------------------------------- */

static void job_forget(struct client *client, struct job *job)
{
    size_t i = 0;

    while (client->jobs[i] != job)
        i++;
    client->job_count--;
    memmove(client->jobs + i, client->jobs + i + 1,
            (client->job_count - i) * sizeof *client->jobs);
    free(job);
}

static struct job *first_ended(const struct client *client)
{
    for (size_t i = 0; i < client->job_count; i++)
        if (client->jobs[i]->status.end != COOP_NO_END)
            return client->jobs[i];
    return NULL;
}

static struct job *newest_listener(const struct client *client)
{
    for (size_t i = client->job_count; i-- > 0;)
        if (client->jobs[i]->program->listens && client->jobs[i]->status.end == COOP_NO_END)
            return client->jobs[i];
    return NULL;
}

/* Returns false if the word is not of the kind, or is missing and must not. */
static bool read_argument(struct job *job, char kind, const char *word)
{
    char *end = "";
    double seconds;

    if (kind == 'w') {
        snprintf(job->word, sizeof job->word, "%s", word);
        return *word && strlen(word) <= WORD_MAX;
    }
    if (!*word)
        return true;
    if (*word < '0' || *word > '9')
        return false;
    if (kind == 'n') {
        job->number = strtoll(word, &end, 10);
        return !*end && job->number <= 1000000000;
    }
    seconds = strtod(word, &end);
    job->ns = seconds <= 1e6 ? (int64_t)(seconds * 1e9) : -1;
    return !*end && job->ns >= 0;
}

static struct job *job_new(struct client *client, const struct program *program, char *rest)
{
    struct job *job = calloc(1, sizeof *job);

    if (job) {
        job->client = client;
        job->program = program;
        job->number = program->number;
        job->ns = program->ns;
        snprintf(job->line, sizeof job->line, "%s%s%s", program->name,
                 *rest ? " " : "", rest);
        snprintf(job->input.name, sizeof job->input.name, "%s", program->name);
    }
    return job;
}

/* The job that is asked for; NULL with the answer in text when there can be none. */
static struct job *prepare(struct client *client, char *rest, coop_text *text)
{
    const char *name = next_word(&rest);
    const struct program *program = programs;
    struct job *job;
    bool good = true;

    while (program->name && strcmp(program->name, name) != 0)
        program++;
    if (!program->name) {
        coop_print(text, "there is no program %s; help shows those that there are\n", name);
        return NULL;
    }
    job = job_new(client, program, rest);
    if (!job) {
        coop_print(text, "no memory for a program\n");
        return NULL;
    }
    for (const char *kind = program->arguments; *kind && good; kind++)
        good = read_argument(job, *kind, next_word(&rest));
    if (good && !*rest)
        return job;
    coop_print(text, "usage: spawn %s\n", program->usage);
    free(job);
    return NULL;
}

/* ---- Commands that trap --------------------------------------------------------- */

coop_routine(spawn, struct client *client; char *rest; coop_text *text; struct job *job;)
{
    coop_begin;
    my->job = first_ended(my->client);
    if (my->job && my->client->job_count == JOBS_MAX) {
        coop_trap(coop_void, WaitTask, .tid = my->job->tid);
        job_forget(my->client, my->job);
    }
    if (my->client->job_count == JOBS_MAX) {
        coop_print(my->text, "%d programs of yours run; that is the most\n", JOBS_MAX);
        coop_return(0);
    }
    my->job = prepare(my->client, my->rest, my->text);
    if (!my->job)
        coop_return(0);
    my->client->jobs[my->client->job_count++] = my->job;
    coop_trap(my->job->tid, NewTask, .target = my->job->program->start(my->job),
              .name = my->job->program->name);
    if (my->job->tid > 0)
        coop_print(my->text, "task %td: %s\n", my->job->tid, my->job->line);
    else {
        coop_print(my->text, "no memory for a program\n");
        job_forget(my->client, my->job);
    }
    coop_end;
}

coop_routine(kill_program, struct client *client; char *rest; coop_text *text; coop_tid tid;
             coop_value r;)
{
    coop_begin;
    my->tid = parse_tid(next_word(&my->rest), my->text);
    if (my->tid <= 0 || !is_program(my->tid, my->text))
        coop_return(0);
    my->client->asked = my->tid;
    coop_trap(my->r, KillTask, .tid = my->tid, .wait = true);
    my->client->asked = 0;
    if (my->r == -ESRCH)
        coop_print(my->text, "task %td has ended\n", my->tid);
    else if (my->r < 0) {
        coop_print(my->text, "task %td is not killed: ", my->tid);
        coop_result_text(my->r, my->text);
        coop_print(my->text, "\n");
    } else
        coop_print(my->text, "task %td is killed\n", my->tid);
    coop_end;
}

coop_routine(wait_for, struct client *client; coop_tid tid; coop_text *text;
             struct job *job; coop_status status; coop_value r;)
{
    coop_begin;
    my->job = client_job(my->client, my->tid);
    if (my->job && my->job->program->listens)
        coop_trap(coop_void, PutLine, .to = &my->job->input, .end = true);
    my->client->asked = my->tid;
    coop_trap(my->r, WaitTask, .tid = my->tid, .status = &my->status);
    my->client->asked = 0;
    if (my->status.end == COOP_NO_END && my->job)
        my->status = my->job->status;
    coop_print(my->text, "task %td ", my->tid);
    if (my->status.end == COOP_NO_END) {
        coop_print(my->text, "cannot be waited for: ");
        coop_result_text(my->r, my->text);
    } else
        status_text(&my->status, my->text);
    coop_print(my->text, "\n");
    if (my->job && my->status.end != COOP_NO_END)
        job_forget(my->client, my->job);
    coop_return(my->status.end == COOP_NO_END ? my->r : 0);
    coop_end;
}

coop_routine(wait_command, struct client *client; char *rest; coop_text *text; coop_tid tid;
             coop_value r;)
{
    coop_begin;
    if (*my->rest) {
        my->tid = parse_tid(next_word(&my->rest), my->text);
        if (my->tid > 0 && is_program(my->tid, my->text))
            coop_await(coop_void, wait_for, .client = my->client, .tid = my->tid,
                       .text = my->text);
        coop_return(0);
    }
    if (my->client->job_count == 0)
        coop_print(my->text, "no jobs to wait for\n");
    while (my->client->job_count > 0 && my->r == 0)
        coop_await(my->r, wait_for, .client = my->client, .tid = my->client->jobs[0]->tid,
                   .text = my->text);
    coop_end;
}

coop_routine(say, struct client *client; char *rest; coop_text *text; struct job *job;
             coop_value r;)
{
    coop_begin;
    my->job = newest_listener(my->client);
    if (!my->job) {
        coop_print(my->text, "none of your programs listens; try spawn chat NAME\n");
        coop_return(0);
    }
    coop_trap(my->r, PutLine, .to = &my->job->input, .text = my->rest,
              .len = strlen(my->rest));
    if (my->r < 0)
        coop_print(my->text, "task %td listens no more\n", my->job->tid);
    coop_end;
}

/* ---- The shell ------------------------------------------------------------------ */

coop_routine(execute, struct client *client; const struct command *command; char *rest;
             coop_text *text;)
{
    coop_begin;
    if (my->command->run)
        my->command->run(my->client, my->rest, my->text);
    else if (my->command->kind == COMMAND_SPAWN)
        coop_await(coop_void, spawn, .client = my->client, .rest = my->rest,
                   .text = my->text);
    else if (my->command->kind == COMMAND_KILL)
        coop_await(coop_void, kill_program, .client = my->client, .rest = my->rest,
                   .text = my->text);
    else if (my->command->kind == COMMAND_WAIT)
        coop_await(coop_void, wait_command, .client = my->client, .rest = my->rest,
                   .text = my->text);
    else if (my->command->kind == COMMAND_SAY)
        coop_await(coop_void, say, .client = my->client, .rest = my->rest,
                   .text = my->text);
    coop_end;
}

/* The client said all that it had to say: its programs may go on to their end. */
coop_routine(finish_jobs, struct client *client; size_t i; struct job *job;)
{
    coop_begin;
    for (my->i = 0; my->i < my->client->job_count; my->i++)
        if (my->client->jobs[my->i]->program->listens)
            coop_trap(coop_void, PutLine, .to = &my->client->jobs[my->i]->input,
                      .end = true);
    for (my->i = 0; my->i < my->client->job_count; my->i++)
        coop_trap(coop_void, WaitTask, .tid = my->client->jobs[my->i]->tid);
    coop_end;
}

coop_routine(shell, struct client *client; coop_value n; const struct command *command;
             char *rest; struct reply reply; char line[LINE_ROOM];)
{
    coop_begin;
    for (;;) {
        coop_trap(coop_void, Now, .at = &my->client->heard);
        my->client->busy = false;
        coop_trap(my->n, GetLine, .from = &my->client->commands, .line = my->line);
        my->client->busy = true;
        if (my->n < 0)
            break;
        reply_begin(&my->reply);
        my->command = command_parse(my->line, (size_t)my->n, &my->rest, &my->reply.text);
        if (my->command)
            coop_await(coop_void, execute, .client = my->client, .command = my->command,
                       .rest = my->rest, .text = &my->reply.text);
        coop_trap(coop_void, Print, .to = &my->client->output,
                  .text = reply_end(&my->reply));
        if (my->command && my->command->kind == COMMAND_QUIT) {
            client_leaves(my->client, "quit");
            my->client->farewell = "bye";
            coop_return(0);
        }
    }
    coop_await(coop_void, finish_jobs, .client = my->client);
    coop_finally;
    reply_free(&my->reply);
    while (my->client->job_count > 0) {
        coop_trap(coop_void, KillTask, .tid = my->client->jobs[0]->tid, .wait = true);
        coop_trap(coop_void, WaitTask, .tid = my->client->jobs[0]->tid);
        job_forget(my->client, my->client->jobs[0]);
    }
    coop_trap(coop_void, KillTask, .tid = my->client->reader);
    coop_end;
}

coop_tid shell_start(struct client *client)
{
    return coop_spawn(shell, .client = client);
}
