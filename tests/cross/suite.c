/* suite.c - runs a suite where there is no CUnit. */
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned wrong;

bool cross_assert(bool well, const char *what, const char *file, int line)
{
    if (!well) {
        wrong++;
        printf("    %s:%d: %s\n", file, line, what);
    }
    return well;
}

void cross_assert_fatal(bool well, const char *what, const char *file, int line)
{
    if (!cross_assert(well, what, file, line))
        exit(1);
}

int suite_main(const char *name, const suite_test *tests, size_t count, int argc, char **argv)
{
    unsigned passed = 0, failed = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t i = 0; i < count; i++) {
        if (argc > 1 && !strstr(tests[i].name, argv[1]))
            continue;
        unsigned before = wrong;
        printf("%s\n", tests[i].name);
        tests[i].run();
        if (wrong == before)
            passed++;
        else
            failed++;
    }
    printf("%s: %u passed, %u failed\n", name, passed, failed);
    return failed > 0 || passed == 0;
}
