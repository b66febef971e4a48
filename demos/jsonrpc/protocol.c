#include "protocol.h"
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Messages ------------------------------------------------------------------- */

size_t head_get(const char head[HEAD])
{
    size_t len = 0;

    for (int i = 0; i < HEAD; i++)
        len = len << 8 | (unsigned char)head[i];
    return len;
}

void head_put(char head[HEAD], size_t len)
{
    for (int i = HEAD; i-- > 0; len >>= 8)
        head[i] = (char)(len & 0xff);
}

/* ---- Requests and answers ------------------------------------------------------- */

static json_t *fault(int code, const char *message, json_t *id)
{
    return json_pack("{s:s, s:{s:i, s:s}, s:O}", "jsonrpc", "2.0", "error", "code", code,
                     "message", message, "id", id);
}

static json_t *respond(const char *method, json_t *params, json_t *id)
{
    if (strcmp(method, "foo") == 0 || strcmp(method, "heartbeat") == 0)
        return json_pack("{s:s, s:s, s:O}", "jsonrpc", "2.0", "result", "ok", "id", id);
    if (strcmp(method, "echo") == 0 && params)
        return json_pack("{s:s, s:O, s:O}", "jsonrpc", "2.0", "result", params, "id", id);
    if (strcmp(method, "echo") == 0)
        return fault(-32602, "Invalid params", id);
    return fault(-32601, "Method not found", id);
}

static bool is_request(const json_t *request)
{
    const char *version = json_string_value(json_object_get(request, "jsonrpc"));
    const json_t *id = json_object_get(request, "id");

    return version && strcmp(version, "2.0") == 0
           && json_is_string(json_object_get(request, "method"))
           && (!id || json_is_string(id) || json_is_number(id) || json_is_null(id));
}

/* A result that is too long for a message is answered with an error. */
static bool put(json_t *response, struct answer *answer)
{
    size_t len = json_dumpb(response, NULL, 0, 0);

    if (len > LIMIT) {
        json_decref(response);
        response = fault(-32603, "Internal error: too long a result", json_null());
        len = json_dumpb(response, NULL, 0, 0);
    }
    answer->bytes = len > 0 ? malloc(HEAD + len) : NULL;
    if (answer->bytes) {
        head_put(answer->bytes, len);
        answer->len = json_dumpb(response, answer->bytes + HEAD, len, 0);
    }
    json_decref(response);
    return answer->bytes != NULL;
}

bool rpc_answer(const char *message, size_t len, struct answer *answer)
{
    json_t *request = json_loadb(message, len, 0, NULL), *response;
    json_t *id = json_object_get(request, "id");
    bool well;

    *answer = (struct answer){ NULL, 0 };
    if (is_request(request) && !id) {
        json_decref(request);
        return true;
    }
    if (!request)
        response = fault(-32700, "Parse error", json_null());
    else if (!is_request(request))
        response = fault(-32600, "Invalid Request", json_null());
    else
        response = respond(json_string_value(json_object_get(request, "method")),
                           json_object_get(request, "params"), id);
    well = put(response, answer);
    json_decref(request);
    return well;
}

size_t rpc_request(char *text, size_t size, const char *method, const char *id)
{
    json_t *request = json_pack("{s:s, s:s, s:s}", "jsonrpc", "2.0", "method", method,
                                "id", id);
    size_t len = json_dumpb(request, text, size, 0);

    json_decref(request);
    return len <= size ? len : 0;
}

/* ---- The log -------------------------------------------------------------------- */

void log_listening(const char *address)
{
    printf("Listening on %s\n", address);
}

void log_connected(int number, const char *peer)
{
    printf("New connection %d from %s\n", number, peer);
}

void log_received(int number, const char *message, size_t len)
{
    printf("Received from %d: ", number);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)message[i];

        putchar(c < ' ' || c == 127 ? '?' : c);
    }
    putchar('\n');
}

void log_closed(int number, int error)
{
    const char *why = error == -EPROTO ? ": in the middle of a message"
                      : error == -EMSGSIZE ? ": too long a message"
                      : error == -ENOMEM ? ": no memory"
                      : error == 0 || error == -ECANCELED ? "" : ": the connection broke";

    printf("Connection %d closed%s\n", number, why);
}

void log_stopped(void)
{
    puts("Stopped");
}
