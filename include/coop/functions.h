/* functions.h - part of coop.h: each call and routine as a plain function, for fibers. */
#ifndef COOP_FUNCTIONS_H_
#define COOP_FUNCTIONS_H_
#ifndef COOP_H
#error "include <coop.h>, which has this part"
#endif

/* ---- Plain functions for fibers -------------------------------------------------- */

/* Each system call, and each routine of the library, as a function that is called in a fiber.
   Its contract, and so its man page, is that of the call or routine: coop_recv_from makes
   RecvFrom, coop_drain is coop_drain. A call is named behind the functions that could not
   have its name. Arguments that few want are not there; coop_syscall and coop_call take them
   all. What arguments point at may be on the fiber's stack.

   Errors besides: -EPERM, or NULL, not called in a fiber, which is reported; -ENOMEM, no room
   for the routine, which did not run, or for what a call leaves behind (Deadline, Shield,
   Group). */

coop_tid coop_get_tid(void);
int (coop_yield)(void);            /* Yield */
coop_tid coop_new_task(coop_coroutine *target, const char *name);
int coop_kill_task(coop_tid tid, bool wait);
int coop_cancel(coop_tid tid, bool wait);
coop_value coop_wait_task(coop_tid tid, coop_status *status);
coop_value coop_exit(coop_value value);
int coop_sleep(int64_t ns);
int64_t coop_now(void);
int coop_deadline(int64_t ns);
int coop_shield(bool on);
coop_value coop_wait_any(coop_call *const *parts, int count, coop_value *value);

coop_group *coop_group_open(const char *name, int mode);   /* Group */
coop_tid coop_group_spawn(coop_group *group, coop_coroutine *target, coop_value *result);
coop_value coop_group_wait(coop_group *group);
coop_value coop_group_next(coop_group *group, coop_status *status);
int coop_group_cancel(coop_group *group, const char *why);

int coop_chan_send(coop_chan *chan, coop_value value);
int coop_chan_send_item(coop_chan *chan, const void *item);    /* ChanSend */
coop_value coop_chan_recv(coop_chan *chan, void *item);
int coop_chan_close(coop_chan *chan);
int coop_chan_done(coop_chan *chan);
int coop_chan_join(coop_chan *chan);
int coop_door_wait(coop_door *door);

int coop_lock_take(coop_lock *lock, bool shared);          /* Lock */
int coop_unlock(coop_lock *lock);
int coop_cond_wait(coop_condition *condition, coop_lock *lock);
int coop_cond_signal(coop_condition *condition, bool all);
int coop_sem_wait(coop_semaphore *semaphore, size_t n);
int coop_sem_post(coop_semaphore *semaphore, size_t n);
int coop_event_wait(coop_event_flag *event);
int coop_event_set(coop_event_flag *event);
int coop_event_clear(coop_event_flag *event);
int coop_future_set(coop_future *future, coop_value value);
coop_value coop_future_wait(coop_future *future);
int coop_barrier_wait(coop_barrier *barrier, int count);
int coop_once_begin(coop_once *once);                      /* Once */
int coop_once_done(coop_once *once, bool failed);

int coop_read_wait(int fd);
int coop_write_wait(int fd);
int coop_connect(const char *address);
int coop_accept(int fd);
coop_value coop_recv(int fd, void *buf, size_t len);
coop_value coop_send(int fd, const void *buf, size_t len);
coop_value coop_recv_from(int fd, void *buf, size_t len, char *from, size_t from_size);
coop_value coop_send_to(int fd, const void *buf, size_t len, const char *to);
coop_value coop_send_file(int fd, int file, int64_t offset, size_t len);
int coop_sock_name(int fd, bool peer, char *name, size_t size);
int coop_shutdown(int fd, int how);
int coop_close(int fd);

coop_value coop_read(int fd, void *buf, size_t len);
coop_value coop_write(int fd, const void *buf, size_t len);
int coop_open(const char *path, int flags, int mode);
coop_value coop_pread(int fd, void *buf, size_t len, int64_t at);
coop_value coop_pwrite(int fd, const void *buf, size_t len, int64_t at);
int coop_fsync(int fd);
int coop_get_stat(const char *path, coop_stat *stat);      /* Stat */
int coop_unlink(const char *path);
coop_value coop_work(coop_value (*run)(void *arg), void *arg);
int coop_resolve(const char *name, coop_address *addresses, int max);
coop_value coop_random(void *buf, size_t len);

int coop_signal_wait(uint64_t signals);
int coop_child_spawn(const char *const *argv, int in, int out, int err, int *pipes); /* Spawn */
int coop_child_wait(int pid, int *signal);
int coop_child_kill(int pid, int signal);

int coop_listen(const char *address);
int coop_dial(const char *address, int64_t timeout);
coop_value coop_read_some(coop_stream *stream, void *buf, size_t len);
coop_value coop_read_exact(coop_stream *stream, void *buf, size_t len);
coop_value coop_read_line(coop_stream *stream, char **line, size_t *length);
coop_value coop_read_frame(coop_stream *stream, char **frame, size_t *length);
coop_value coop_write_all(coop_stream *stream, const void *buf, size_t len);
coop_value coop_write_frame(coop_stream *stream, const void *buf, size_t len);
int coop_drain(coop_stream *stream);
int coop_stream_close(coop_stream *stream);
coop_value coop_copy(int from, int to, uint64_t len);
int coop_serve(int fd, coop_coroutine *(*client)(int fd, const char *peer, void *arg),
               void *arg);
coop_value coop_gather(coop_coroutine **targets, size_t count, coop_value *results);

#endif
