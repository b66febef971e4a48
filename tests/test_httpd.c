/* Requests to demos/httpd and its answers, byte for byte. */
#include "config.h"
#include "suite.h"
#include "web.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static talk t;

static bool shows(const char *answer, const char *text)
{
    if (strstr(answer, text))
        return true;
    fprintf(stderr, "\nno \"%s\" in\n%.400s\n", text, answer);
    return false;
}

static void get_and_head(void)
{
    const char *answer;

    web_start(NULL, NULL);
    answer = web_answer("GET /small.txt HTTP/1.1\r\n" FIRST);
    CU_ASSERT(!strncmp(answer, "HTTP/1.1 200 OK\r\nDate: ", 23));
    CU_ASSERT(shows(answer, "\r\nContent-Length: 10\r\n"));
    CU_ASSERT(shows(answer, "\r\nContent-Type: text/plain\r\n"));
    CU_ASSERT(shows(answer, "\r\nConnection: close\r\n"));
    CU_ASSERT(shows(answer, "\r\n\r\n0123456789"));
    answer = web_answer("HEAD /small.txt HTTP/1.1\r\n" FIRST);
    CU_ASSERT(shows(answer, "\r\nContent-Length: 10\r\n"));
    CU_ASSERT_STRING_EQUAL(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
    CU_ASSERT(shows(web_answer("HEAD /large HTTP/1.1\r\n" FIRST),
                    ": 1073741824\r\n"));
    CU_ASSERT(shows(web_answer("HEAD /none HTTP/1.1\r\n" FIRST), " 404 Not Found\r\n"));
    CU_ASSERT(shows(web_answer("GET / HTTP/1.1\r\n" FIRST), "\r\n\r\nhome"));
    CU_ASSERT(shows(web_answer("GET /sub/?q=/../.. HTTP/1.1\r\n" FIRST), "\r\n\r\nsub"));
    CU_ASSERT(shows(web_answer("GET http://x:1/small.txt HTTP/1.1\r\n" FIRST),
                    "\r\n\r\n0123456789"));
    CU_ASSERT(shows(web_answer("GET http://x HTTP/1.1\r\n" FIRST), "\r\n\r\nhome"));
    web_stop();
}

/* A redirect stays here, also for a path that looks like another host. */
static void folders(void)
{
    web_start(NULL, NULL);
    CU_ASSERT(shows(web_answer("GET /sub HTTP/1.1\r\n" FIRST), "\r\nLocation: /sub/\r\n"));
    CU_ASSERT(shows(web_answer("GET //sub HTTP/1.1\r\n" FIRST), "\r\nLocation: /sub/\r\n"));
    CU_ASSERT(shows(web_answer("GET ///x/..//%73ub?a HTTP/1.1\r\n" FIRST),
                    "\r\nLocation: /sub/\r\n"));
    CU_ASSERT(web_gives("GET /small.txt/ HTTP/1.1\r\n" FIRST, 404));
    CU_ASSERT(web_gives("GET /pipe HTTP/1.1\r\n" FIRST, 404));
    web_stop();
}

static void no_way_out(void)
{
    static const char *const outside[] = {
        "/out", "/../etc/passwd", "/%2e%2e/etc/passwd", "/..%2fetc/passwd", "/sub/../../x",
        "/.%2e/.%2e/etc/passwd", "/sub/%2e%2e/%2E%2E/x", "/..", "/%00", "/small.txt%00",
        "/%", "/%4", "/%zz", "http://x/../etc/passwd", "*", "small.txt", "/..%5c..%5cx",
        "//etc/passwd", "/proc/self/environ", "/sub/../out"
    };
    char request[128];

    web_start(NULL, NULL);
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
        const char *answer;

        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n" FIRST, outside[i]);
        answer = web_answer(request);
        CU_ASSERT(!strncmp(answer, "HTTP/1.1 40", 11));
        CU_ASSERT(!strstr(answer, "root:"));
    }
    CU_ASSERT(web_gives("GET /sub/../small.txt HTTP/1.1\r\n" FIRST, 200));
    CU_ASSERT(web_gives("GET /./%73mall.txt HTTP/1.1\r\n" FIRST, 200));
    web_stop();
}

/* A symbolic link that stays in the folder is followed where the host can see to that. */
static void links(void)
{
    int status = 404;
#ifdef SYS_openat2
    struct { uint64_t flags, mode, resolve; } how = { O_RDONLY, 0, 0 };
    long fd = syscall(SYS_openat2, AT_FDCWD, ".", &how, sizeof how);

    if (fd >= 0) {
        close((int)fd);
        status = 200;
    }
#endif
    web_start(NULL, NULL);
    CU_ASSERT(web_gives("GET /in HTTP/1.1\r\n" FIRST, status));
    web_stop();
}

static void methods(void)
{
    web_start(NULL, NULL);
    CU_ASSERT(shows(web_answer("DELETE / HTTP/1.1\r\n" FIRST), "\r\nAllow: GET, HEAD\r\n"));
    CU_ASSERT(web_gives("OPTIONS * HTTP/1.1\r\n" FIRST, 405));
    CU_ASSERT(web_gives("CONNECT x:1 HTTP/1.1\r\n" FIRST, 405));
    CU_ASSERT(web_gives("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n", 405));
    CU_ASSERT(web_gives("FROB / HTTP/1.1\r\n" FIRST, 501));
    CU_ASSERT(web_gives("get / HTTP/1.1\r\n" FIRST, 400));
    CU_ASSERT(web_gives("\x16\x03\x01\x02", 400));
    web_stop();
}

static void malformed(void)
{
    web_start(NULL, NULL);
    CU_ASSERT(web_gives("GET / HTTP/1.1\r\n", 400));
    CU_ASSERT(web_gives("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n", 400));
    CU_ASSERT(web_gives("GET / HTTP/1.1\r\nHost : a\r\n", 400));
    CU_ASSERT(web_gives("GET / HTTP/2.0\r\n" FIRST, 505));
    CU_ASSERT(web_gives("GET / HTTX/1.1\r\n" FIRST, 400));
    CU_ASSERT(web_gives("GET / and more HTTP/1.1\r\n" FIRST, 400));
    CU_ASSERT(web_gives("GET / HTTP/1.1\r\n" FIRST "Content-Length: 1\r\n"
                        "Content-Length: 2\r\n", 400));
    CU_ASSERT(web_gives("GET / HTTP/1.1\r\n" FIRST "Content-Length: 1\r\n"
                        "Transfer-Encoding: chunked\r\n", 400));
    CU_ASSERT(web_gives("GET / HTTP/1.1\r\n" FIRST "Content-Length: -1\r\n", 400));
    CU_ASSERT(web_gives("GET / HTTP/1.1\r\n" FIRST "Expect: tea\r\n", 417));
    CU_ASSERT(web_gives("\r\n\r\n\r\nGET / HTTP/1.1\r\n" FIRST, 200));
    web_stop();
}

static char *long_request(const char *before, int len, const char *after)
{
    char *request = malloc((size_t)len + 256);

    CU_ASSERT_PTR_NOT_NULL_FATAL(request);
    snprintf(request, 128, "%s", before);
    memset(request + strlen(before), 'a', (size_t)len);
    snprintf(request + strlen(before) + len, 128, "%s", after);
    return request;
}

static bool gives_long(const char *before, int len, const char *after, int status)
{
    char *request = long_request(before, len, after);
    bool gives = web_gives(request, status);

    free(request);
    return gives;
}

static void too_long(void)
{
    char many[101 * 6 + 64] = "GET / HTTP/1.1\r\nHost: x\r\n";

    web_start(NULL, NULL);
    CU_ASSERT(gives_long("GET /", 8000, " HTTP/1.1\r\n" FIRST, 404));
    CU_ASSERT(gives_long("GET /", 8200, " HTTP/1.1\r\n" FIRST, 414));
    CU_ASSERT(gives_long("GET /", 1000000, " HTTP/1.1\r\n" FIRST, 414));
    CU_ASSERT(gives_long("GET / HTTP/1.1\r\n" FIRST "A: ", 16000, "\r\n", 200));
    CU_ASSERT(gives_long("GET / HTTP/1.1\r\n" FIRST "A: ", 17000, "\r\n", 431));
    CU_ASSERT(gives_long("GET / HTTP/1.1\r\n" FIRST "A: ", 1000000, "\r\n", 431));
    CU_ASSERT(gives_long("GET / HTTP/1.1\r\n" FIRST, 1000000, ": b\r\n", 431));
    for (int i = 0; i < 98; i++)
        strcat(many, "a: b\r\n");
    strcat(many, "Connection: close\r\n");
    CU_ASSERT(web_gives(many, 200));
    strcat(many, "a: b\r\n");
    CU_ASSERT(web_gives(many, 431));
    CU_ASSERT(web_gives("GET / HTTP/1.1\r\n" FIRST "Content-Length: 70000\r\n", 413));
    CU_ASSERT(gives_long("GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                         "1ffff\r\n", 0x1ffff, "\r\n0\r\n", 413));
    web_stop();
}

static void bodies(void)
{
    char *request;

    web_start(NULL, NULL);
    web_ask(&t, "GET /small.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
                "GET /small.txt HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                "3\r\nabc\r\n0\r\nRange: bytes=0-0\r\n\r\n"
                "GET /sub/ HTTP/1.1\r\n" FIRST);
    GETS(&t, " 200 OK\r\n");
    GETS(&t, "\r\n\r\n0123456789HTTP/1.1 200 OK\r\n");
    GETS(&t, "\r\n\r\n0123456789HTTP/1.1 200 OK\r\n");
    GETS(&t, "\r\n\r\nsub");
    talk_close(&t);
    request = long_request("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 65000\r\n\r\n",
                           65000, "GET /sub/ HTTP/1.1\r\n" FIRST);
    CU_ASSERT(shows(web_answer(request), "\r\n\r\nsub"));
    free(request);
    web_ask(&t, "GET /sub/ HTTP/1.1\r\n" FIRST "Expect: 100-continue\r\n"
                "Content-Length: 2\r\n");
    GETS(&t, "HTTP/1.1 100 Continue\r\n\r\n");
    talk_send(&t, "a");
    talk_send(&t, "b");
    GETS(&t, "HTTP/1.1 200 OK\r\n");
    GETS(&t, "\r\n\r\nsub");
    talk_close(&t);
    web_stop();
}

static void connections(void)
{
    web_start(NULL, NULL);
    CU_ASSERT(web_gives("GET / HTTP/1.0\r\n", 200));
    web_ask(&t, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n");
    GETS(&t, "\r\nConnection: keep-alive\r\n");
    GETS(&t, "\r\n\r\nhome");
    talk_send(&t, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    GETS(&t, "\r\n\r\nhome");
    talk_send(&t, "GET /none HTTP/1.1\r\nHost: x\r\n\r\n");
    GETS(&t, "\r\n\r\n404 Not Found\n");
    talk_send(&t, "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\n"
                  "Connection: Upgrade\r\n\r\n");
    GETS(&t, "\r\n\r\nhome");
    talk_send(&t, "GET / HTTP/1.1\r\n" FIRST "\r\n");
    CU_ASSERT(shows(talk_rest(&t), "\r\n\r\nhome"));
    talk_close(&t);
    web_stop();
}

/* In order, also behind a file that is opened first, a large one and a refusal. */
static void pipelining(void)
{
    web_start(NULL, NULL);
    web_ask(&t, "GET /small.txt HTTP/1.1\r\nHost: x\r\n\r\n"
                "GET /none HTTP/1.1\r\nHost: x\r\n\r\n"
                "GET /large HTTP/1.1\r\nHost: x\r\nRange: bytes=0-99999\r\n\r\n"
                "HEAD /large HTTP/1.1\r\nHost: x\r\n\r\n"
                "GET /sub HTTP/1.1\r\nHost: x\r\n\r\n"
                "GET /sub/ HTTP/1.1\r\nHost: x\r\n\r\n"
                "GET / HTTP/1.1\r\n\r\n"
                "GET / HTTP/1.1\r\nHost: x\r\n");
    GETS(&t, "HTTP/1.1 200 OK\r\n");
    GETS(&t, "\r\n\r\n0123456789HTTP/1.1 404 Not Found\r\n");
    GETS(&t, "\r\n\r\n404 Not Found\nHTTP/1.1 206 Partial Content\r\n");
    GETS(&t, "????HTTP/1.1 200 OK\r\n");
    GETS(&t, "\r\n\r\nHTTP/1.1 301 Moved Permanently\r\n");
    GETS(&t, "301 Moved Permanently\nHTTP/1.1 200 OK\r\n");
    GETS(&t, "\r\n\r\nsubHTTP/1.1 400 Bad Request\r\n");
    CU_ASSERT_STRING_EQUAL(strstr(talk_rest(&t), "\r\n\r\n"), "\r\n\r\n400 Bad Request\n");
    talk_close(&t);
    web_stop();
}

static void ask_thousand_times(const char *request, const char *body)
{
    static char requests[1000 * 64];

    for (size_t i = 0; i < 1000; i++)
        strcpy(requests + i * strlen(request), request);
    talk_connect(&t, web_port);
    talk_send(&t, requests);
    for (int i = 0; i < 1000; i++)
        GETS(&t, body);
    talk_close(&t);
}

/* Also with answers of which only some fit into what is sent at a time. */
static void many_at_once(void)
{
    char body[8005] = "\r\n\r\n";

    memset(body + 4, 'x', 8000);
    web_start(NULL, NULL);
    ask_thousand_times("GET /small.txt HTTP/1.1\r\nHost: x\r\n\r\n", "\r\n\r\n0123456789");
    web_write("changing", body + 4);
    ask_thousand_times("GET /changing HTTP/1.1\r\nHost: x\r\n\r\n", body);
    remove(web_path("changing"));
    web_stop();
}

static void byte_by_byte(void)
{
    const char *request = "\r\nGET /small.txt HTTP/1.1\r\nHost: x\r\n"
                          "Range: bytes=2-4\r\n\r\n"
                          "GET /sub/ HTTP/1.1\r\n" FIRST "\r\n";

    web_start(NULL, NULL);
    talk_connect(&t, web_port);
    for (; *request; request++)
        talk_send_bytes(&t, request, 1);
    GETS(&t, " 206 Partial Content\r\n");
    GETS(&t, "\r\n\r\n234HTTP/1.1 200 OK\r\n");
    CU_ASSERT(shows(talk_rest(&t), "\r\n\r\nsub"));
    talk_close(&t);
    web_stop();
}

static void ranges(void)
{
    static const struct { const char *range; int status; const char *part; } cases[] = {
        { "bytes=0-0", 206, "0" }, { "bytes=2-4", 206, "234" }, { "bytes=7-", 206, "789" },
        { "bytes=-3", 206, "789" }, { "bytes=5-100", 206, "56789" },
        { "bytes=-100", 206, "0123456789" }, { "bytes=0-", 206, "0123456789" },
        { "bytes=9-99999999999999999999999", 206, "9" },
        { "BYTES=1-1 ", 206, "1" },
        { "bytes=10-", 416, NULL }, { "bytes=99999999999999999999-", 416, NULL },
        { "bytes=-0", 416, NULL },
        { "bytes=4-2", 200, "0123456789" }, { "bytes=", 200, "0123456789" },
        { "bytes=-", 200, "0123456789" }, { "bytes=a-b", 200, "0123456789" },
        { "bytes=1-2,4-5", 200, "0123456789" }, { "lines=1-2", 200, "0123456789" },
        { "bytes=1", 200, "0123456789" }
    };
    char request[256];

    web_start(NULL, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(request, sizeof request,
                 "GET /small.txt HTTP/1.1\r\n" FIRST "Range: %s\r\n", cases[i].range);
        CU_ASSERT(web_gives(request, cases[i].status));
        if (cases[i].part)
            CU_ASSERT_STRING_EQUAL(strstr(web_answer(request), "\r\n\r\n") + 4,
                                   cases[i].part);
    }
    CU_ASSERT(shows(web_answer("GET /small.txt HTTP/1.1\r\n" FIRST "Range: bytes=-3\r\n"),
                    "\r\nContent-Range: bytes 7-9/10\r\nContent-Length: 3\r\n"));
    CU_ASSERT(shows(web_answer("GET /small.txt HTTP/1.1\r\n" FIRST "Range: bytes=10-\r\n"),
                    "\r\nContent-Range: bytes */10\r\n"));
    CU_ASSERT(shows(web_answer("GET /large HTTP/1.1\r\n" FIRST "Range: bytes=-9\r\n"),
                    "\r\n\r\n?????????"));
    CU_ASSERT(web_gives("HEAD /small.txt HTTP/1.1\r\n" FIRST "Range: bytes=0-1\r\n", 200));
    web_stop();
}

static char field[64];

static const char *field_of(const char *answer, const char *name)
{
    const char *at = strstr(answer, name);

    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    snprintf(field, sizeof field, "%.*s", (int)strcspn(at + strlen(name), "\r"),
             at + strlen(name));
    return field;
}

static bool with_gives(const char *format, const char *value, int status)
{
    char fields[256], request[512];

    snprintf(fields, sizeof fields, format, value);
    snprintf(request, sizeof request, "GET /small.txt HTTP/1.1\r\n" FIRST "%s\r\n", fields);
    return web_gives(request, status);
}

static void conditions(void)
{
    const char *get = "GET /small.txt HTTP/1.1\r\n" FIRST;
    const char *tag, *date;

    web_start(NULL, NULL);
    tag = field_of(web_answer(get), "\r\nETag: ");
    CU_ASSERT(with_gives("If-None-Match: %s", tag, 304));
    CU_ASSERT(with_gives("If-None-Match: \"a,b\", W/%s , \"c\"", tag, 304));
    CU_ASSERT(with_gives("If-None-Match: %s", "*", 304));
    CU_ASSERT(with_gives("If-None-Match: %s", "\"other\"", 200));
    CU_ASSERT(with_gives("If-None-Match: %s", "", 200));
    CU_ASSERT(with_gives("If-None-Match: %s", "\"", 200));
    CU_ASSERT(with_gives("If-Match: %s", tag, 200));
    CU_ASSERT(with_gives("If-Match: W/%s", tag, 412));
    CU_ASSERT(with_gives("If-Match: %s", "\"other\"", 412));
    CU_ASSERT(with_gives("Range: bytes=1-2\r\nIf-Range: %s", tag, 206));
    CU_ASSERT(with_gives("Range: bytes=1-2\r\nIf-Range: W/%s", tag, 200));
    CU_ASSERT(with_gives("Range: bytes=1-2\r\nIf-Range: %s", "\"other\"", 200));
    CU_ASSERT(with_gives("Range: bytes=1-2\r\nIf-None-Match: %s", tag, 304));
    CU_ASSERT(!strstr(web_answer(get), "Content-Range"));
    date = field_of(web_answer(get), "\r\nLast-Modified: ");
    CU_ASSERT(with_gives("If-Modified-Since: %s", date, 304));
    CU_ASSERT(with_gives("If-Unmodified-Since: %s", date, 200));
    CU_ASSERT(with_gives("Range: bytes=1-2\r\nIf-Range: %s", date, 206));
    CU_ASSERT(with_gives("If-None-Match: \"other\"\r\nIf-Modified-Since: %s", date, 200));
    CU_ASSERT(with_gives("If-Modified-Since: %s", "Sun, 06 Nov 1994 08:49:37 GMT", 200));
    CU_ASSERT(with_gives("If-Modified-Since: %s", "Sunday, 06-Nov-94 08:49:37 GMT", 200));
    CU_ASSERT(with_gives("If-Modified-Since: %s", "Sat Nov  6 08:49:37 2060", 304));
    CU_ASSERT(with_gives("If-Modified-Since: %s", "Sat, 06 Nov 2060 08:49:37 GMT", 304));
    CU_ASSERT(with_gives("If-Modified-Since: %s", "yesterday", 200));
    CU_ASSERT(with_gives("If-Unmodified-Since: %s", "Sun, 06 Nov 1994 08:49:37 GMT", 412));
    CU_ASSERT(with_gives("If-Unmodified-Since: %s", "never", 200));
    web_stop();
}

static const char *changing(void)
{
    const char *line;

    talk_send(&t, "GET /changing HTTP/1.1\r\nHost: x\r\n\r\n");
    GETS(&t, "\r\n\r\n");
    line = talk_until(&t, "\n");
    CU_ASSERT_PTR_NOT_NULL_FATAL(line);
    return line;
}

/* A file is looked at again within a second, so this asks until then. */
static void changed_files(void)
{
    web_start(NULL, NULL);
    talk_connect(&t, web_port);
    CU_ASSERT_STRING_EQUAL(changing(), "404 Not Found");
    web_write("changing", "first\n");
    CU_ASSERT_STRING_EQUAL(changing(), "first");
    web_write("changing", "second\n");
    while (strcmp(changing(), "second"))
        ;
    remove(web_path("changing"));
    while (strcmp(changing(), "404 Not Found"))
        ;
    talk_close(&t);
    web_stop();
}

static const suite_test tests[] = {
    { "get_and_head", get_and_head },
    { "folders", folders },
    { "no_way_out", no_way_out },
    { "links", links },
    { "methods", methods },
    { "malformed", malformed },
    { "too_long", too_long },
    { "bodies", bodies },
    { "connections", connections },
    { "pipelining", pipelining },
    { "many_at_once", many_at_once },
    { "byte_by_byte", byte_by_byte },
    { "ranges", ranges },
    { "conditions", conditions },
    { "changed_files", changed_files },
};

int main(int argc, char **argv)
{
    return suite_main("httpd", tests, SUITE_COUNT(tests), argc, argv);
}
