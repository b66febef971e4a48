/* suite.h - what every test program is made of.

   A program is one suite: an array of tests, and a main that hands it over.

       static const suite_test tests[] = {
           { "kill_in_readwait", kill_in_readwait },
       };

       int main(int argc, char **argv)
       {
           return suite_main("tasks", tests, SUITE_COUNT(tests), argc, argv);
       }

   With an argument only those tests run whose name contains it. A test that takes
   longer than a minute (SUITE_TIMEOUT seconds; 0: no limit) fails the program. */
#ifndef SUITE_H
#define SUITE_H

#include <CUnit/CUnit.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct suite_test {
    const char *name;
    void (*run)(void);
} suite_test;

#define SUITE_COUNT(tests) (sizeof (tests) / sizeof *(tests))

/* Runs the tests and prints "NAME: N passed, N failed". Returns the exit status. */
int suite_main(const char *name, const suite_test *tests, size_t count, int argc,
               char **argv);

/* Runs them again with *other set, but those that without names, with blanks between. */
int suite_main_twice(const char *name, const suite_test *tests, size_t count, int argc,
                     char **argv, bool *other, const char *without);

#endif
