/* Answers: which status, which part of the file, which fields. RFC 9110. */
#include "httpd.h"
#include "date.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void reply_clock(int64_t wall)
{
    char date[30];

    http_date((time_t)(wall / COOP_S(1)), date);
    server.ok_len = (size_t)snprintf(server.ok, sizeof server.ok,
                                     "HTTP/1.1 200 OK\r\nDate: %s\r\n", date);
}

/* ---- Putting it together: there is room for each answer, see LOW and OUTPUT --------- */

static void put(struct connection *c, const char *bytes, size_t len)
{
    memcpy(c->output + c->filled, bytes, len);
    c->filled += len;
}

static void print(struct connection *c, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(c->output + c->filled, OUTPUT - c->filled, format, args);
    va_end(args);
    c->filled += (size_t)n;
}

static void begin(struct connection *c, int status)
{
    static const char ok[] = "HTTP/1.1 200 OK\r\n";

    if (status == 200)
        put(c, server.ok, server.ok_len);
    else {
        print(c, "HTTP/1.1 %d %s\r\n", status, http_status_str((enum http_status)status));
        put(c, server.ok + strlen(ok), server.ok_len - strlen(ok));
    }
    if (c->closing)
        print(c, "Connection: close\r\n");
    else if (c->request.parser.http_minor == 0)
        print(c, "Connection: keep-alive\r\n");
}

static bool is_head(const struct connection *c)
{
    return c->request.head && c->request.parser.method == HTTP_HEAD;
}

/* An answer that is nothing but its status. */
static void reply_plainly(struct connection *c)
{
    const char *words = http_status_str((enum http_status)c->status);

    print(c, "Content-Type: text/plain\r\nContent-Length: %zu\r\n\r\n", strlen(words) + 5);
    if (!is_head(c))
        print(c, "%d %s\n", c->status, words);
}

/* For a folder's name without its /: from the path as it was understood, not as it was
   sent, which might be //elsewhere. */
static void put_location(struct connection *c, const char *path)
{
    print(c, "Location: /");
    for (; *path; path++)
        if (strchr("-._~/!$&'()*+,;=:@", *path) || (*path >= '0' && *path <= '9')
            || ((*path | 32) >= 'a' && (*path | 32) <= 'z'))
            put(c, path, 1);
        else
            print(c, "%%%02X", (unsigned char)*path);
    print(c, "/\r\n");
}

/* ---- Conditions ---------------------------------------------------------------------- */

/* Is the file's tag in the list? A weak one, W/"...", is never the same in the strong
   sense. */
static bool lists(struct text list, const struct file *file, bool strong)
{
    size_t len = strlen(file->etag);
    const char *at = list.at, *end = list.at + list.len;

    if (list.len == 1 && *list.at == '*')
        return true;
    while (at < end) {
        bool weak = end - at > 2 && at[0] == 'W' && at[1] == '/';
        const char *tag = weak ? at + 2 : at;
        const char *close = tag < end && *tag == '"'
                            ? memchr(tag + 1, '"', (size_t)(end - tag) - 1) : NULL;

        if (!close) {
            at++;
            continue;
        }
        at = close + 1;
        if ((size_t)(at - tag) == len && !memcmp(tag, file->etag, len) && !(weak && strong))
            return true;
    }
    return false;
}

/* Has it not changed since? A date that is none says nothing: otherwise. */
static bool is_as_old(struct text date, const struct file *file, bool otherwise)
{
    time_t time;

    if (text_is(date, file->date))
        return true;
    time = http_time(date.at, date.len);
    return time < 0 ? otherwise : file->modified <= time;
}

/* 200, 304 or 412. */
static int judge(const struct request *r, const struct file *file)
{
    struct text match = request_field(r, IF_MATCH), none = request_field(r, IF_NONE_MATCH);
    struct text since = request_field(r, IF_MODIFIED_SINCE);
    struct text until = request_field(r, IF_UNMODIFIED_SINCE);

    if (match.at ? !lists(match, file, true) : until.at && !is_as_old(until, file, true))
        return 412;
    if (none.at ? lists(none, file, false) : since.at && is_as_old(since, file, false))
        return 304;
    return 200;
}

/* ---- Ranges -------------------------------------------------------------------------- */

/* A number, cut to the largest; false: there is none. */
static bool number(const char **at, const char *end, int64_t *value)
{
    const char *begin = *at;

    for (*value = 0; *at < end && **at >= '0' && **at <= '9'; ++*at)
        *value = *value > (INT64_MAX - 9) / 10 ? INT64_MAX : *value * 10 + (**at - '0');
    return *at > begin;
}

/* 206 and the part from *first up to *last; 416; or 200: the whole, also for what is no
   range and for several. */
static int part(struct text range, int64_t size, int64_t *first, int64_t *last)
{
    const char *at = range.at + strlen("bytes="), *end = range.at + range.len;
    bool from, to;

    if (range.len <= strlen("bytes=") || !text_is((struct text){ range.at, 6 }, "bytes="))
        return 200;
    from = number(&at, end, first);
    if (at == end || *at++ != '-')
        return 200;
    to = number(&at, end, last);
    if (at < end || (!from && !to) || (from && to && *last < *first))
        return 200;
    if (from ? *first >= size : *last == 0)
        return 416;
    if (!from) {
        *first = *last < size ? size - *last : 0;
        to = false;
    }
    if (!to || *last >= size)
        *last = size - 1;
    return size == 0 ? 200 : 206;
}

static bool ranges(const struct request *r, const struct file *file)
{
    struct text condition = request_field(r, IF_RANGE);

    return r->fields[RANGE].at > 0 && r->parser.method == HTTP_GET
        && (!condition.at || text_is(condition, file->date)
            || (*condition.at == '"' && lists(condition, file, true)));
}

/* ---- Answers ------------------------------------------------------------------------- */

static void reply_whole(struct connection *c)
{
    begin(c, 200);
    put(c, c->file->fields, c->file->fields_len);
    put(c, "\r\n", 2);
    c->at = 0;
    c->left = is_head(c) ? 0 : c->file->size;
}

static void reply_part(struct connection *c, int64_t first, int64_t last)
{
    begin(c, 206);
    print(c, "Content-Range: bytes %" PRId64 "-%" PRId64 "/%" PRId64 "\r\n", first, last,
          c->file->size);
    print(c, "Content-Length: %" PRId64 "\r\n", last - first + 1);
    print(c, "%s\r\n", c->file->fields + c->file->length_len);
    c->at = first;
    c->left = last - first + 1;
}

static void reply_file(struct connection *c)
{
    int64_t first = 0, last = 0;
    int status = judge(&c->request, c->file);

    if (status == 200 && ranges(&c->request, c->file))
        status = part(request_field(&c->request, RANGE), c->file->size, &first, &last);
    if (status == 200)
        reply_whole(c);
    else if (status == 206)
        reply_part(c, first, last);
    else if (status == 304) {
        begin(c, status);
        print(c, "%s\r\n", c->file->fields + c->file->length_len);
    } else {
        c->status = (uint16_t)status;
        begin(c, status);
        if (status == 416)
            print(c, "Content-Range: bytes */%" PRId64 "\r\n", c->file->size);
        reply_plainly(c);
    }
    if (c->left > 0 && c->file->data) {
        put(c, c->file->data + c->at, (size_t)c->left);
        c->left = 0;
    }
}

void reply(struct connection *c)
{
    c->left = 0;
    if (c->status == 200) {
        reply_file(c);
        return;
    }
    begin(c, c->status);
    if (c->status == 405)
        print(c, "Allow: GET, HEAD\r\n");
    if (c->status == 301)
        put_location(c, c->file->path);
    reply_plainly(c);
}
