#include "request.h"
#include <string.h>
#include <strings.h>

/* ---- What http_parser tells, in pieces that follow each other in the buffer ---------- */

static int refuse(struct request *r, int status)
{
    r->status = (uint16_t)status;
    return -1;
}

static size_t extend(struct request *r, struct place *place, const char *at, size_t len)
{
    if (place->len == 0)
        place->at = (uint16_t)(at - r->base);
    place->len = (uint16_t)(at + len - r->base - place->at);
    r->kept = (uint16_t)(place->at + place->len);
    return r->kept;
}

static int on_begin(http_parser *parser)
{
    struct request *r = parser->data;

    r->begun = true;
    return 0;
}

static int on_target(http_parser *parser, const char *at, size_t len)
{
    struct request *r = parser->data;

    return extend(r, &r->target, at, len) > LINE_MOST ? refuse(r, 414) : 0;
}

static int on_name(http_parser *parser, const char *at, size_t len)
{
    struct request *r = parser->data;

    if (r->head)
        return 0;                  /* behind a chunked body */
    if (r->in_value)
        r->name.len = 0;
    r->in_value = false;
    extend(r, &r->name, at, len);
    return 0;
}

bool text_is(struct text text, const char *word)
{
    return text.at && text.len == strlen(word) && !strncasecmp(text.at, word, text.len);
}

static int field_named(struct text name)
{
    static const char *const names[] = {
        [HOST] = "Host", [EXPECT] = "Expect", [RANGE] = "Range", [IF_RANGE] = "If-Range",
        [IF_MATCH] = "If-Match", [IF_NONE_MATCH] = "If-None-Match",
        [IF_MODIFIED_SINCE] = "If-Modified-Since",
        [IF_UNMODIFIED_SINCE] = "If-Unmodified-Since"
    };
    char first = (char)(*name.at | 32);

    if (first == 'h' || first == 'e' || first == 'r' || first == 'i')
        for (int i = 0; i < FIELDS; i++)
            if (text_is(name, names[i]))
                return i;
    return -1;
}

/* The first of several counts. */
static int on_value(http_parser *parser, const char *at, size_t len)
{
    struct request *r = parser->data;

    if (r->head)
        return 0;
    if (!r->in_value) {
        r->in_value = true;
        if (++r->count > COUNT_MOST)
            return refuse(r, 431);
        r->field = (int8_t)field_named((struct text){ r->base + r->name.at, r->name.len });
        if (r->field >= 0 && r->fields[r->field].at > 0) {
            if (r->field == HOST)
                return refuse(r, 400);
            r->field = -1;
        }
    }
    if (r->field >= 0)
        extend(r, &r->fields[r->field], at, len);
    return at + len - r->base - r->target.at - r->target.len > FIELDS_MOST ? refuse(r, 431)
                                                                          : 0;
}

static bool has_body(const http_parser *parser)
{
    return (parser->flags & F_CHUNKED)
        || ((parser->flags & F_CONTENTLENGTH) && parser->content_length > 0);
}

static int on_head(http_parser *parser)
{
    struct request *r = parser->data;
    struct text expect = request_field(r, EXPECT);

    r->head = true;
    parser->upgrade = 0;           /* no other protocol is spoken here */
    if (parser->http_major != 1)
        return refuse(r, 505);
    if (memcmp(r->base + r->target.at + r->target.len, " HTTP/", 6))
        return refuse(r, 400);     /* http_parser may not look at the letters */
    if (parser->http_minor >= 1 && r->fields[HOST].at == 0)
        return refuse(r, 400);
    if (has_body(parser) && parser->method != HTTP_GET && parser->method != HTTP_HEAD)
        return refuse(r, 405);
    if ((parser->flags & F_CONTENTLENGTH) && parser->content_length > BODY_MOST)
        return refuse(r, 413);
    return expect.at && !text_is(expect, "100-continue") ? refuse(r, 417) : 0;
}

static int on_body(http_parser *parser, const char *at, size_t len)
{
    struct request *r = parser->data;

    (void)at;
    r->body += (uint32_t)len;
    return r->body > BODY_MOST ? refuse(r, 413) : 0;
}

static int on_done(http_parser *parser)
{
    struct request *r = parser->data;

    r->done = true;
    http_parser_pause(parser, 1);  /* what follows is another request */
    return 0;
}

static int status_of(enum http_errno error, char first)
{
    if (error == HPE_INVALID_METHOD)
        return first >= 'A' && first <= 'Z' ? 501 : 400;
    return error == HPE_HEADER_OVERFLOW ? 431 : 400;
}

/* ---- Reading ------------------------------------------------------------------------ */

void request_begin(struct request *r)
{
    memset(r, 0, sizeof *r);
    http_parser_init(&r->parser, HTTP_REQUEST);
    r->parser.data = r;
}

size_t request_read(struct request *r, const char *base, size_t from, size_t len)
{
    static const http_parser_settings settings = {
        .on_message_begin = on_begin, .on_url = on_target, .on_header_field = on_name,
        .on_header_value = on_value, .on_headers_complete = on_head, .on_body = on_body,
        .on_message_complete = on_done
    };
    size_t took;

    r->base = base;
    took = http_parser_execute(&r->parser, &settings, base + from, len - from);
    if (!r->done && !r->status && HTTP_PARSER_ERRNO(&r->parser) != HPE_OK)
        r->status = (uint16_t)status_of(HTTP_PARSER_ERRNO(&r->parser), *base);
    return took;
}

struct text request_target(const struct request *r)
{
    return (struct text){ r->base + r->target.at, r->target.len };
}

struct text request_field(const struct request *r, enum field field)
{
    struct place place = r->fields[field];
    struct text text = { r->base + place.at, place.len };

    if (place.at == 0)
        return (struct text){ NULL, 0 };
    while (text.len > 0 && (text.at[text.len - 1] == ' ' || text.at[text.len - 1] == '\t'))
        text.len--;
    return text;
}

bool request_expects(const struct request *r)
{
    return r->head && !r->done && !r->body && r->parser.http_minor >= 1
        && r->fields[EXPECT].at > 0;
}

/* ---- Paths -------------------------------------------------------------------------- */

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Takes "." and ".." back, and the empty part that a second / makes. */
static bool end_part(char *path, size_t *begin, size_t *used, bool slash)
{
    size_t len = *used - *begin;

    if (len == 1 && path[*begin] == '.')
        *used = *begin;
    else if (len == 2 && path[*begin] == '.' && path[*begin + 1] == '.') {
        if (*begin == 0)
            return false;
        *used = *begin - 1;
        while (*used > 0 && path[*used - 1] != '/')
            --*used;
    } else if (len > 0 && slash)
        path[(*used)++] = '/';
    *begin = *used;
    return true;
}

/* Of http://host/path the path; false if there is none. */
static bool skip_host(struct text *target)
{
    struct http_parser_url url;

    http_parser_url_init(&url);
    if (http_parser_parse_url(target->at, target->len, 0, &url)
        || !(url.field_set & 1 << UF_HOST))
        return false;
    if (url.field_set & 1 << UF_PATH)
        *target = (struct text){ target->at + url.field_data[UF_PATH].off,
                                 url.field_data[UF_PATH].len };
    else
        *target = (struct text){ "/", 1 };
    return true;
}

bool request_path(struct text target, char *path)
{
    size_t begin = 0, used = 0;

    if (target.len == 0 || (*target.at != '/' && !skip_host(&target)))
        return false;
    for (const char *at = target.at + 1, *end = target.at + target.len; at < end; at++) {
        char c = *at;

        if (c == '?' || c == '#')
            break;
        if (c == '%') {
            int high = end - at > 2 ? digit(at[1]) : -1, low = high < 0 ? -1 : digit(at[2]);

            if (low < 0 || high + low == 0)
                return false;
            c = (char)(high * 16 + low);
            at += 2;
        }
        if (c != '/')
            path[used++] = c;
        else if (!end_part(path, &begin, &used, true))
            return false;
    }
    if (!end_part(path, &begin, &used, false))
        return false;
    path[used] = '\0';
    return true;
}
