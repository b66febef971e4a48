#define _GNU_SOURCE
#include "date.h"
#include <string.h>

void http_date(time_t time, char *text)
{
    struct tm parts;

    if (!gmtime_r(&time, &parts)
        || !strftime(text, 30, "%a, %d %b %Y %H:%M:%S GMT", &parts))
        strcpy(text, "Thu, 01 Jan 1970 00:00:00 GMT");
}

time_t http_time(const char *text, size_t len)
{
    static const char *const forms[] = {
        "%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"
    };
    char copy[48];

    if (len >= sizeof copy)
        return -1;
    memcpy(copy, text, len);
    copy[len] = '\0';
    for (int i = 0; i < 3; i++) {
        struct tm parts = { 0 };
        const char *end = strptime(copy, forms[i], &parts);

        if (end && !*end)
            return timegm(&parts);
    }
    return -1;
}
