/* visit.h - guests for demos/pubsub */
#ifndef VISIT_H
#define VISIT_H

#include <coop.h>

/* Three guests come to address, and show what they are told; then listener is closed. */
coop_declare(visit, const char *address; int listener; coop_stream *ann, *bob, *sue;);

#endif
