/* forms.h - one server in five forms. Each serves on a port of 127.0.0.1 until SIGINT or
   SIGTERM, and gives the exit status. */
#ifndef JSONRPC_FORMS_H
#define JSONRPC_FORMS_H

int serve_blocking(int port);
int serve_callback(int port);
int serve_trampoline(int port);

#endif
