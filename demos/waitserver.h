/* waitserver.h - the echo server of step 7, for pyos7 and echogood */
#ifndef WAITSERVER_H
#define WAITSERVER_H

#include <coop.h>

coop_declare(server, int listener, client;);

#endif
