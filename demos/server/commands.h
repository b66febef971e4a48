/* commands.h - what a client can ask for */
#ifndef SERVER_COMMANDS_H
#define SERVER_COMMANDS_H

#include "server.h"

struct reply {                     /* a text that grows */
    coop_text text;
    char *data;
    size_t len;
    bool failed;
    char part[1024];
};

void reply_begin(struct reply *);
const char *reply_end(struct reply *); /* the text; good until begin or free */
void reply_free(struct reply *);

struct command {
    const char *name, *usage, *help;
    enum command_kind {
        COMMAND_TEXT,              /* run gives the whole answer; all others need traps */
        COMMAND_SPAWN, COMMAND_KILL, COMMAND_WAIT, COMMAND_SAY, COMMAND_QUIT
    } kind;
    bool needs;                    /* something after its name */
    void (*run)(struct client *, char *rest, coop_text *);
};

/* What a line of len bytes asks for, with what stands behind the name in *rest. NULL when
   it asks for nothing, or for nothing that there is; the answer is in text then. */
const struct command *command_parse(char *line, size_t len, char **rest, coop_text *);

/* Takes a word off the front of a text. Returns "" when there is none. */
char *next_word(char **text);

/* Returns a task's number; 0 if it is none, with the answer in text. */
coop_tid parse_tid(const char *word, coop_text *);

/* True if the task is a program or was started by one. If not, says what it is. */
bool is_program(coop_tid, coop_text *);

#endif
