#include "config.h"
#include "web.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

pid_t web;
int web_port;
talk web_says;

static char folder[64];

static void make_folder(void);

const char *web_path(const char *name)
{
    static char path[256];

    if (!folder[0])
        make_folder();
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

void web_write(const char *name, const char *text)
{
    FILE *file = fopen(web_path(name), "w");

    CU_ASSERT_FATAL(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

static void clean_up(void)
{
    static const char *const names[] = {
        "small.txt", "index.html", "sub/index.html", "sub", "large", "out", "in", "pipe",
        "changing", "socket", ""
    };

    if (web > 0)                   /* a failed test left it */
        kill(web, SIGKILL);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        remove(web_path(names[i]));
}

static void make_folder(void)
{
    int large;

    snprintf(folder, sizeof folder, "%s", "/tmp/coop.XXXXXX");
    CU_ASSERT_FATAL(mkdtemp(folder) != NULL);
    atexit(clean_up);
    CU_ASSERT_FATAL(mkdir(web_path("sub"), 0755) == 0);
    web_write("small.txt", "0123456789");
    web_write("index.html", "home");
    web_write("sub/index.html", "sub");
    large = open(web_path("large"), O_WRONLY | O_CREAT, 0644);
    CU_ASSERT_FATAL(large >= 0 && ftruncate(large, 1 << 30) == 0 && close(large) == 0);
    CU_ASSERT_FATAL(symlink("/etc/passwd", web_path("out")) == 0);
    CU_ASSERT_FATAL(symlink("sub/../small.txt", web_path("in")) == 0);
    CU_ASSERT_FATAL(mkfifo(web_path("pipe"), 0644) == 0);
}

int web_status(void)
{
    int status = talk_status(web);

    web = 0;
    close(web_says.fd);
    return status;
}

void web_start_at(const char *address, const char *option, const char *value)
{
    const char *program = getenv("HTTPD");

    if (web > 0) {
        kill(web, SIGKILL);
        web_status();
    }
    web = talk_start(&web_says, 0, program ? program : "demos/httpd", address,
                     web_path(""), option, value, NULL);
    GETS(&web_says, "httpd: serving ");
    GETS(&web_says, " at ");
}

void web_start(const char *option, const char *value)
{
    web_start_at("tcp://127.0.0.1:0", option, value);
    web_port = (int)talk_number(&web_says, "http://127.0.0.1:", "/");
    CU_ASSERT_FATAL(web_port > 0);
}

void web_stop(void)
{
    kill(web, SIGTERM);
    CU_ASSERT(web_status() == 0);
}

void web_ask(talk *t, const char *request)
{
    talk_connect(t, web_port);
    talk_send(t, request);
    talk_send(t, "\r\n");
}

const char *web_answer(const char *request)
{
    static talk t;
    const char *answer;

    web_ask(&t, request);
    answer = talk_rest(&t);
    CU_ASSERT_PTR_NOT_NULL_FATAL(answer);
    talk_close(&t);
    return answer;
}

bool web_gives(const char *request, int status)
{
    char want[32];
    const char *answer = web_answer(request);

    snprintf(want, sizeof want, "HTTP/1.1 %d ", status);
    if (!strncmp(answer, want, strlen(want)))
        return true;
    fprintf(stderr, "\nwanted %d for\n%.200s\nand got\n%.200s\n", status, request, answer);
    return false;
}
