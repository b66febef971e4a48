/* routines.h - routines that more than one of the kernel's suites run. */
#ifndef ROUTINES_H
#define ROUTINES_H

#include "world.h"

/* Yields so often, and gives v. */
coop_declare(idle, int turns; coop_value v;);

coop_declare(naps, int64_t ns;);

/* Of a group: sleeps, and gives what it is to or the error. Its cleanup takes time, too. */
coop_declare(member, int id, late; int64_t ns; coop_value r, gives;);

/* To be resumed by hand: yields what it was sent, plus one; ends when a negative number
   comes, and returns it. */
coop_declare(echo, coop_value x;);

/* echo at the bottom of that many calls; errors other than -EINTR come through. */
coop_declare(nested, int depth; coop_value r;);

/* Gives the square of n, which it has yielded. */
coop_declare(square, int n;);

/* As a task, the first one: there is each kind of event, and it fails with -EIO. */
coop_declare(everything, coop_tid child, sleeper; coop_value r;);

#endif
