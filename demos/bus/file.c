/* file.c - a file of buses: the form of the one of the course, and numbers of our own. */
#include "buses.h"

#include <stdio.h>

enum { BUSES = 863 };

static unsigned random_below(struct file *f, unsigned n)
{
    f->random = f->random * 1664525 + 1013904223;
    return (f->random >> 16) % n;
}

static int print_one(struct file *f, char *buf, size_t size)
{
    static const char *const directions[] = {
        "North Bound", "South Bound", "East Bound", "West Bound"
    };
    static const char *const stops[] = { "Clark & Foster", "Howard", "<Harrison>", "Depot" };
    static const unsigned below[] = {
        1 << 16, 4, 24000, 24000, 9000, 4, 1000, 4, 50000
    };
    unsigned r[sizeof below / sizeof *below];
    int n = f->next;
    int route = n % 36 == 5 ? 22 : 1 + n % 36 + (n % 36 >= 21 ? 2 : 0);
    for (size_t i = 0; i < sizeof below / sizeof *below; i++)
        r[i] = random_below(f, below[i]);
    return snprintf(
        buf, size,
        "  <bus>\n    <id>%d</id>\n    <route>%d</route>\n    <color>#%06x</color>\n"
        "    <revenue>%s</revenue>\n    <direction>%s</direction>\n"
        "    <latitude>41.%08u</latitude>\n    <longitude>-87.%08u</longitude>\n"
        "    <pattern>%u</pattern>\n    <patternDirection>%s</patternDirection>\n"
        "    <run>P%03u</run>\n    <finalStop><![CDATA[%s]]></finalStop>\n"
        "    <operator>%u</operator>\n  </bus>\n",
        1000 + 7 * n, route, r[0], n % 5 ? "true" : "false",
        directions[route == 22 ? n / 36 % 3 == 2 : (int)r[1]], 75000000 + r[2] * 1000,
        60000000 + r[3] * 1000, r[4], directions[r[5]], r[6], stops[r[7]], r[8]);
}

size_t read_file(struct file *f, char *buf, size_t size)
{
    int length = 0;
    if (f->next == 0)
        length = snprintf(buf, size, "<?xml version=\"1.0\"?>\n<buses>\n");
    if (f->next < BUSES)
        length += print_one(f, buf + length, size - (size_t)length);
    else if (f->next == BUSES)
        length = snprintf(buf, size, "</buses>\n");
    f->next++;
    return (size_t)length;
}

coop_value next_of_file(void *file, char *buf, size_t size)
{
    return (coop_value)read_file(file, buf, size);
}
