/* CUnit.h - as much of CUnit as the suites need that are built for another processor, for
   which there is no CUnit. */
#ifndef CROSS_CUNIT_H
#define CROSS_CUNIT_H

#include <stdbool.h>

bool cross_assert(bool well, const char *what, const char *file, int line);
void cross_assert_fatal(bool well, const char *what, const char *file, int line);

#define CU_ASSERT(x) ((void)cross_assert(x, #x, __FILE__, __LINE__))
#define CU_ASSERT_FATAL(x) cross_assert_fatal(x, #x, __FILE__, __LINE__)
#define CU_ASSERT_EQUAL(a, b) CU_ASSERT((a) == (b))
#define CU_ASSERT_EQUAL_FATAL(a, b) CU_ASSERT_FATAL((a) == (b))
#define CU_ASSERT_PTR_EQUAL(a, b) CU_ASSERT((const void *)(a) == (const void *)(b))
#define CU_ASSERT_PTR_NULL(a) CU_ASSERT(!(a))
#define CU_ASSERT_PTR_NOT_NULL(a) CU_ASSERT(!!(a))
#define CU_ASSERT_PTR_NOT_NULL_FATAL(a) CU_ASSERT_FATAL(!!(a))
#define CU_ASSERT_STRING_EQUAL(a, b) CU_ASSERT(strcmp(a, b) == 0)

#endif
