/* onpty PROGRAM [ARG...] - run a program on a terminal of its own

   Types a line of its standard input whenever the terminal shows the stepper's prompt, and
   the end of the input at last, as a person would; copies to standard output what the
   terminal shows. Ends as PROGRAM does, or with 77 where there are no such terminals. The
   alarms are a safety net. */
#define _XOPEN_SOURCE 700
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void fail(const char *what)
{
    perror(what);
    exit(2);
}

static pid_t start(int terminal, char **argv)
{
    const char *name = ptsname(terminal);
    pid_t child = name ? fork() : -1;
    if (child < 0)
        fail("onpty");
    if (child > 0)
        return child;
    setsid();
    int fd = open(name, O_RDWR);
    if (fd < 0 || dup2(fd, 0) < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
        _exit(126);
    close(fd);
    close(terminal);
    alarm(60);
    execv(argv[0], argv);
    _exit(127);
}

static void type_next(int terminal)
{
    char line[256];
    if (!fgets(line, sizeof line, stdin))
        strcpy(line, "\4");
    if (write(terminal, line, strlen(line)) < 0)
        fail("write");
}

int main(int argc, char **argv)
{
    int status, terminal = posix_openpt(O_RDWR | O_NOCTTY);
    static const char prompt[] = "(coop) ";
    size_t seen = 0;
    char c;
    if (terminal < 0 || grantpt(terminal) < 0 || unlockpt(terminal) < 0)
        return 77;
    if (argc < 2)
        return 2;
    alarm(60);
    pid_t child = start(terminal, argv + 1);
    while (read(terminal, &c, 1) == 1) {
        if (c != '\r')
            putchar(c);
        seen = c == prompt[seen] ? seen + 1 : c == prompt[0];
        if (!prompt[seen]) {
            type_next(terminal);
            seen = 0;
        }
    }
    if (waitpid(child, &status, 0) != child)
        fail("waitpid");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
