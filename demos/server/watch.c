#include "server.h"
#include <string.h>

static bool traces(const struct client *client, coop_tid tid)
{
    for (int i = 0; i < TRACES_MAX; i++)
        if (client->traced[i] == tid)
            return true;
    return false;
}

static void stop_trace(struct client *client, coop_tid tid)
{
    for (int i = 0; i < TRACES_MAX; i++)
        if (client->traced[i] == tid)
            client->traced[i] = 0;
}

void status_text(const coop_status *status, coop_text *text)
{
    if (status->end == COOP_KILLED)
        coop_print(text, "killed by %td", status->by);
    else {
        coop_print(text, status->end == COOP_FAILED ? "failed " : "returned ");
        coop_result_text(status->value, text);
    }
}

static void tell_end(struct client *client, const coop_event *event)
{
    struct job *job = client_job(client, event->tid);
    char how[64];
    coop_text text = { .data = how, .size = sizeof how };

    if (!job)
        return;
    job->status = event->status;
    status_text(&event->status, &text);
    if (client->asked != event->tid)
        output_tell(&client->output, job->tag, "%s", how);
}

static void tell_trace(struct client *client, const coop_event *event)
{
    char line[512];
    coop_text text = { .data = line, .size = sizeof line };

    coop_event_text(event, &text);
    if (text.used > 0)
        output_tell(&client->output, NULL, "%s", line);
    if (event->kind == COOP_EXIT)
        stop_trace(client, event->tid);
}

static void watch(coop_observer *observer, const coop_event *event)
{
    (void)observer;
    if (event->system)
        return;
    for (struct client *client = server.clients; client; client = client->next) {
        if (traces(client, event->tid))
            tell_trace(client, event);
        if (event->kind == COOP_EXIT)
            tell_end(client, event);
    }
    if (event->kind == COOP_EXIT && server.stopping)
        server.ended++;
}

int watch_start(void)
{
    static coop_observer observer = { .event = watch };

    return coop_observe(&observer);
}
