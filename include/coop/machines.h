/* machines.h - part of coop.h: machines: what the outside is. */
#ifndef COOP_MACHINES_H_
#define COOP_MACHINES_H_
#ifndef COOP_H
#error "include <coop.h>, which has this part"
#endif

/* ---- Machines -------------------------------------------------------------------- */

/** coop_unix - the machine that is the host
 *
 * For coop_options. poller says how it waits for descriptors:
 *
 * "select"  tasks of one poll wake in ascending order of their descriptors; -EMFILE for
 *           descriptors from FD_SETSIZE on (1024 on Linux)
 * "poll"    the same order, without that limit
 * "epoll"   for many descriptors, Linux; tasks wake in the order in which the kernel
 *           reports their descriptors, that in which they became ready. A descriptor
 *           that is closed without Close is noticed later: when nothing happened for
 *           50 ms, and 0.1 ms more for each that is waited for; every poll counts as
 *           0.002 ms of that.
 * "auto"    select, and for good epoll (poll, where there is none) from the moment at
 *           which a descriptor is past select's limit or more than 32 are waited for
 * NULL      auto
 *
 * Returns: NULL when memory is exhausted, for epoll also when no descriptor is left,
 * and when there is no such poller.
 * Thread: any.
 */
coop_machine *coop_unix(const char *poller);

/** coop_sim - a machine that is all in memory
 *
 * For tests, and for seeing what a program does when time and network are as one wants
 * them. COOP_MACHINE=sim, or sim:SEED, takes it for a program that chooses none.
 *
 * The clock stands still while a task can run, and jumps to the next timer when none
 * can: a program that sleeps for hours is through at once. Sockets (tcp:// and unix://)
 * reach those of the same scheduler alone: Listen, Connect, Accept, Send, Recv,
 * Shutdown and Close are as on the host, with buffers of limited size; closing with
 * bytes unread resets. What arrives is cut into pieces, and the random bytes are made,
 * by a generator that begins with seed: the same seed gives the same run. Work runs at
 * once, when nothing else can run. What it does not have, files, processes and signals,
 * gives -ENOSYS.
 *
 * Returns: NULL when memory is exhausted.
 * Thread: any.
 */
coop_machine *coop_sim(uint64_t seed);

#endif
