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
static bool *other_way;

static void start_clock(void)
{
    alarm(limit);
}

static void stop_clock(void)
{
    alarm(0);
}

static void start_other_way(void)
{
    *other_way = true;
    start_clock();
}

static void stop_other_way(void)
{
    *other_way = false;
    stop_clock();
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

static bool is_named(const char *name, const char *names)
{
    size_t len = strlen(name);
    for (const char *at = names; (at = strstr(at, name)); at += len)
        if ((at == names || at[-1] == ' ') && (at[len] == ' ' || !at[len]))
            return true;
    return false;
}

static bool add_tests(CU_pSuite suite, const suite_test *tests, size_t count,
                      const char *part, const char *without)
{
    for (size_t i = 0; suite && i < count; i++)
        if ((!part || strstr(tests[i].name, part)) && !is_named(tests[i].name, without)
            && !CU_add_test(suite, tests[i].name, tests[i].run))
            return false;
    return suite;
}

int suite_main(const char *name, const suite_test *tests, size_t count, int argc,
               char **argv)
{
    return suite_main_twice(name, tests, count, argc, argv, NULL, NULL);
}

int suite_main_twice(const char *name, const suite_test *tests, size_t count, int argc,
                     char **argv, bool *other, const char *without)
{
    const char *timeout = getenv("SUITE_TIMEOUT"), *part = argc > 1 ? argv[1] : NULL;
    unsigned run, failed;

    if (timeout)
        limit = (unsigned)strtoul(timeout, NULL, 10);
    setenv("COOP_SLOW", "off", 0); /* a machine under load is no fault */
    signal(SIGALRM, out_of_time);
    setvbuf(stdout, NULL, _IOLBF, 0);
    other_way = other;
    if (CU_initialize_registry() != CUE_SUCCESS
        || !add_tests(CU_add_suite_with_setup_and_teardown(name, NULL, NULL, start_clock,
                                                           stop_clock),
                      tests, count, part, "")
        || (other && !add_tests(CU_add_suite_with_setup_and_teardown(
                                    "the other way", NULL, NULL, start_other_way,
                                    stop_other_way), tests, count, part, without))) {
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
