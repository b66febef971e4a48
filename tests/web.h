/* web.h - a file server with a folder of its own, and requests to it. HTTPD is its path;
   without it demos/httpd of the build folder. */
#ifndef WEB_H
#define WEB_H

#include "talk.h"

extern pid_t web;                  /* 0: none */
extern int web_port;
extern talk web_says;              /* what it prints */

/* Starts it with an option and its value, NULL: without, on the folder: small.txt is
   "0123456789", index.html "home", sub/index.html "sub", large 1 GB of zeros (sparse). */
void web_start(const char *option, const char *value);
void web_start_at(const char *address, const char *option, const char *value);
void web_stop(void);               /* by SIGTERM; it must end in order */
int web_status(void);              /* waits for its end */

const char *web_path(const char *name);            /* good until the next call */
void web_write(const char *name, const char *text);

/* Connects and sends; \r\n is added behind. */
void web_ask(talk *, const char *request);

/* Asks, and returns all that comes, up to the end of the stream; good until the next. */
const char *web_answer(const char *request);

/* Does an answer to it begin with "HTTP/1.1 STATUS "? */
bool web_gives(const char *request, int status);

#define FIRST "Host: x\r\nConnection: close\r\n"

#endif
