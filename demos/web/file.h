/* file.h - the files of the folder: opening them, and keeping them open. */
#ifndef FILE_H
#define FILE_H

#include <coop.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* Files up to INLINE_MOST are kept in memory, others open; CACHED is the number of both. */
enum { INLINE_MOST = 8192, CACHED = 1024 };

struct file {
    struct file *chain, *newer, *older;    /* in the cache */
    unsigned uses;                 /* the cache's is one */
    uint32_t hash;
    uint64_t opened, used;         /* ticks */
    bool reopening;                /* somebody looks whether it has changed */
    int fd;                        /* -1: its bytes are in data */
    char *data;
    int64_t size;
    time_t modified;
    char etag[40], date[32];
    char fields[256];              /* of an answer, Content-Length first */
    uint16_t fields_len, length_len;
    char path[];                   /* see request_path */
};

/* The folder to serve. 0 or a negative errno. */
int files_open(const char *folder);

/* One that was opened in this tick, to be released. NULL: there is none, or the caller is
   the first for whom it is to be opened anew; until that is done others get the old one. */
struct file *files_find(const char *path, uint64_t tick);

/* In two steps: a file not yet opened, NULL: no memory; and opening it, for Work. That
   gives the status to answer with: 200, 301 for a folder whose name lacks its /, or why
   not. Then files_keep takes one that was opened into the cache, and files_forget takes out
   one that can no longer be. */
struct file *file_new(const char *path, uint64_t tick);
coop_value file_load(void *file);
void files_keep(struct file *);
void files_forget(const char *path);

void file_release(struct file *);  /* NULL is let pass */

/* Lets go of those that nobody has asked for since a tick. */
void files_sweep(uint64_t tick);

#endif
