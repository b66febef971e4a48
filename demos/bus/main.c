/* buses - where are the buses of route 22 that go north? (the course, part 2: buses, cosax,
   coexpat, iterbus)

   expat parses a file of buses and calls a function for each start of an element, each text
   and each end. Four programs in one that print the same: how what has to be called reaches
   coroutines, and how with fibers it can wait for them. */
#include "buses.h"

#include <stdio.h>
#include <string.h>

static bool print_file(void)
{
    struct file file = { 0 };
    char part[PART];
    size_t n;
    while ((n = read_file(&file, part, sizeof part)))
        fwrite(part, 1, n, stdout);
    return true;
}

int main(int argc, char **argv)
{
    static const struct { const char *name; bool (*run)(void); } forms[] = {
        { "push", push }, { "pull", pull }, { "tasks", tasks }, { "socket", over_socket },
        { "file", print_file },
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (strcmp(argc > 1 ? argv[1] : "push", forms[i].name) == 0)
            return forms[i].run() ? 0 : 1;
    fputs("Usage: buses [push|pull|tasks|socket|file]\n", stderr);
    return 2;
}
