#include "server.h"
#include <errno.h>
#include <string.h>

struct member {
    struct member *next;
    struct job *job;               /* its word is the member's name */
};

static struct member *room;

static struct member *member_named(const char *name)
{
    struct member *member = room;

    while (member && strcmp(member->job->word, name) != 0)
        member = member->next;
    return member;
}

/* Nobody waits here for a member who does not read: that one loses lines instead. */
static void tell_all(const char *who, const char *what)
{
    for (struct member *member = room; member; member = member->next)
        output_tell(&member->job->client->output, member->job->tag, "%s%s", who, what);
}

static void join(struct member *member)
{
    char names[256];
    coop_text text = { .data = names, .size = sizeof names };

    member->next = room;
    room = member;
    coop_print(&text, " joined; here:");
    for (const struct member *each = room; each; each = each->next)
        coop_print(&text, " %s", each->job->word);
    tell_all(member->job->word, names);
}

static void leave(struct member *member)
{
    struct member **link = &room;

    while (*link && *link != member)
        link = &(*link)->next;
    if (!*link)
        return;
    *link = member->next;
    tell_all(member->job->word, " left");
}

coop_routine(chat, struct job *job; coop_value n; int said; struct member self;
             char line[2 + LINE_ROOM];)
{
    PROGRAM_BEGIN("chat");
    if (member_named(my->job->word)) {
        output_tell(&my->job->client->output, my->job->tag, "%s is here already",
                    my->job->word);
        coop_return(-EEXIST);
    }
    my->self.job = my->job;
    join(&my->self);
    memcpy(my->line, ": ", 2);
    for (;;) {
        coop_trap(my->n, GetLine, .from = &my->job->input, .line = my->line + 2);
        if (my->n < 0)
            coop_return(my->said);
        my->said++;
        tell_all(my->job->word, my->line);
    }
    coop_finally;
    leave(&my->self);
    coop_trap(coop_void, PutLine, .to = &my->job->input, .end = true);
    coop_end;
}

coop_coroutine *chat_start(struct job *job)
{
    return coop_create(chat, .job = job);
}
