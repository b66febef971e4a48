/* protocol.h - what is said between client and server, and how

   A message on the wire is its length in four bytes, the highest first, and then that many
   bytes of JSON, without an end of their own:

       00 00 00 35  {"jsonrpc": "2.0", "method": "foo", "id": "abcdefgh"}     0x35 = 53
       00 00 00 34  {"jsonrpc": "2.0", "result": "ok", "id": "abcdefgh"}      0x34 = 52

   (The talk's listing writes the length as decimal text; its format says int32.)

   What the service understands is JSON-RPC 2.0, one request a message. The methods are
   foo and heartbeat, which give "ok", and echo, which gives back its params. */
#ifndef JSONRPC_PROTOCOL_H
#define JSONRPC_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>

enum {
    HEAD = 4,                      /* bytes of a length */
    LIMIT = 65536                  /* bytes of a message; a longer one is not taken */
};

size_t head_get(const char head[HEAD]);
void head_put(char head[HEAD], size_t len);

struct answer {                    /* a head, and right behind it a message of len bytes */
    char *bytes;                   /* from malloc */
    size_t len;
};

/* What to answer to a request of len bytes: bytes is NULL if that is nothing, as for a
   notification. Returns false when memory is exhausted. */
bool rpc_answer(const char *request, size_t len, struct answer *);

/* Writes the request into text, of size bytes. Returns its length, 0 if it does not fit. */
size_t rpc_request(char *text, size_t size, const char *method, const char *id);

/* What the forms of the server log; all in the same words. A connection is closed with 0
   between two messages, with -ECANCELED when the server stops, -EPROTO in the middle of a
   message, -EMSGSIZE at a message that is too long, -ENOMEM, or what else went wrong. */
void log_listening(const char *address);
void log_connected(int number, const char *peer);
void log_received(int number, const char *message, size_t len);
void log_closed(int number, int error);
void log_stopped(void);

#endif
