#include "config.h"
#include "suite.h"

#include <CUnit/Basic.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static unsigned limit = 60;

static void start_clock(void)
{
    alarm(limit);
}

static void stop_clock(void)
{
    alarm(0);
}

static void out_of_time(int number)
{
    static const char text[] = "\nout of time in ";
    CU_pTest test = CU_get_current_test();
    bool written = number == SIGALRM && write(2, text, sizeof text - 1) > 0;
    if (test)
        written = write(2, test->pName, strlen(test->pName)) > 0;
    _exit(written && write(2, "\n", 1) == 1 ? 1 : 2);
}

/* Returns how many were added, -1 for an error. */
static int add_tests(const char *name, const suite_test *tests, size_t count, const char *part)
{
    CU_pSuite suite =
        CU_add_suite_with_setup_and_teardown(name, NULL, NULL, start_clock, stop_clock);
    int added = 0;
    for (size_t i = 0; suite && i < count; i++) {
        if (part && !strstr(tests[i].name, part))
            continue;
        if (!CU_add_test(suite, tests[i].name, tests[i].run))
            return -1;
        added++;
    }
    return suite ? added : -1;
}

int suite_main(const char *name, const suite_test *tests, size_t count, int argc, char **argv)
{
    const char *timeout = getenv("SUITE_TIMEOUT");
    unsigned run, failed;

    if (timeout)
        limit = (unsigned)strtoul(timeout, NULL, 10);
    setenv("COOP_SLOW", "off", 0); /* a machine under load is no fault */
    signal(SIGALRM, out_of_time);
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (CU_initialize_registry() != CUE_SUCCESS
        || add_tests(name, tests, count, argc > 1 ? argv[1] : NULL) < 0) {
        fprintf(stderr, "%s: %s\n", name, CU_get_error_msg());
        return 1;
    }
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    run = CU_get_number_of_tests_run();
    failed = CU_get_number_of_tests_failed();
    CU_cleanup_registry();
    printf("%s: %u passed, %u failed\n", name, run - failed, failed);
    return failed > 0 || run == 0;
}
