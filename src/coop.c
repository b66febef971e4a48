/* coop - the tool: runs a program that is linked with libcoop under the trace or the stepper. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: coop trace [-t] [-r] [-s] [-o FILE] PROGRAM [ARG...]\n"
    "       coop step [-s] [-i FILE] [-o FILE] PROGRAM [ARG...]\n"
    "       coop --help | --version\n"
    "\n"
    "trace  prints every event of PROGRAM's tasks, one line each\n"
    "step   stops before each trap and asks what next\n"
    "\n"
    "  -t       with the time since the start\n"
    "  -r       with the beginning of each slice\n"
    "  -s       with system tasks\n"
    "  -o FILE  write to FILE instead of standard error\n"
    "  -i FILE  read the commands from FILE instead of standard input\n";

static int misused(const char *command)
{
    if (command)
        fprintf(stderr, "coop: there is no %s\n", command);
    fputs(usage, stderr);
    return 2;
}

/* Append one of COOP_TRACE's words; false when it does not fit. */
static int add(char *words, size_t size, const char *word, const char *path)
{
    size_t used = strlen(words);
    int n = snprintf(words + used, size - used, ",%s%s", word, path);
    return n >= 0 && (size_t)n < size - used;
}

static int run(char **argv, const char *words)
{
    if (setenv("COOP_TRACE", words, 1) < 0) {
        perror("coop");
        return 1;
    }
    execvp(argv[0], argv);
    int e = errno;
    fprintf(stderr, "coop: %s: %s\n", argv[0], strerror(e));
    return e == ENOENT ? 127 : 126;
}

int main(int argc, char **argv)
{
    char words[1024] = "1";
    int option;
    if (argc > 1 && (!strcmp(argv[1], "--help") || (argc > 2 && !strcmp(argv[2], "--help"))))
        return fputs(usage, stdout) < 0;
    if (argc == 2 && !strcmp(argv[1], "--version"))
        return puts("coop " VERSION) < 0;
    int step = argc > 1 && !strcmp(argv[1], "step");
    if (argc > 1 && !step && strcmp(argv[1], "trace"))
        return misused(argv[1]);
    if (argc < 3)
        return misused(NULL);
    if (step)
        strcpy(words, "step");
    argc--;
    argv++;
    argv[0] = "coop";
    while ((option = getopt(argc, argv, step ? "+so:i:" : "+trso:")) != -1) {
        const char *word = option == 't' ? "time" : option == 'r' ? "run"
                         : option == 's' ? "system" : option == 'o' ? "file="
                         : option == 'i' ? "in=" : NULL;
        if (!word)
            return misused(NULL);
        if (!add(words, sizeof words, word, optarg && strchr(word, '=') ? optarg : "")) {
            fputs("coop: the path is too long\n", stderr);
            return 2;
        }
    }
    return optind < argc ? run(argv + optind, words) : misused(NULL);
}
