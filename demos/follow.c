/* follow FILE [WORD] - print lines as they are appended to FILE (the course, part 1)

   A pull pipeline: printer <- grep <- follow, where each asks the next for a line. When
   there is none yet follow yields NULL, and the printer, which is the task of them,
   sleeps; other tasks could run meanwhile. It ends when the file has been deleted. */
#define _POSIX_C_SOURCE 200809L
#include <coop.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static bool deleted(FILE *file)
{
    struct stat st;

    return fstat(fileno(file), &st) < 0 || st.st_nlink == 0;
}

coop_routine(follow, FILE *file; bool last; size_t used; char line[4096];)
{
    coop_begin;
    do {
        my->last = deleted(my->file);
        clearerr(my->file);
        while (fgets(my->line + my->used, (int)(sizeof my->line - my->used), my->file)) {
            my->used += strlen(my->line + my->used);
            if (!strchr(my->line, '\n') && my->used < sizeof my->line - 1)
                continue;
            my->used = 0;
            coop_yield(coop_void, my->line);
        }
        coop_yield(coop_void, NULL);
    } while (!my->last);
    coop_end;
}

coop_routine(grep, const char *word; coop_coroutine *lines; coop_value line;)
{
    coop_begin;
    while (coop_co_next(my->lines, &my->line) == COOP_YIELDED)
        if (!my->line || strstr((const char *)my->line, my->word))
            coop_yield(coop_void, my->line);
    coop_end;
}

coop_routine(printer, coop_coroutine *lines; coop_value line;)
{
    coop_begin;
    while (coop_co_next(my->lines, &my->line) == COOP_YIELDED)
        if (my->line)
            fputs((const char *)my->line, stdout);
        else
            coop_trap(coop_void, Sleep, .ns = COOP_MS(100));
    coop_end;
}

int main(int argc, char **argv)
{
    FILE *file = argc > 1 ? fopen(argv[1], "r") : NULL;

    if (!file || fseek(file, 0, SEEK_END) < 0) {
        fprintf(stderr, "usage: follow FILE [WORD]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    fprintf(stderr, "following %s\n", argv[1]);

    const char *word = argc > 2 ? argv[2] : "";
    coop_coroutine *lines = coop_create(follow, .file = file);
    coop_coroutine *found = coop_create(grep, .word = word, .lines = lines);
    coop_value r = coop_main(printer, .lines = found);
    coop_co_free(found);
    coop_co_free(lines);
    fclose(file);
    return r < 0;
}
