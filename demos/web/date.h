/* date.h - dates as HTTP writes them. */
#ifndef DATE_H
#define DATE_H

#include <stddef.h>
#include <time.h>

void http_date(time_t time, char *text);           /* 30 bytes */

/* In any of the three forms that there have been; -1 if it is none. */
time_t http_time(const char *text, size_t len);

#endif
