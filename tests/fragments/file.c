/* For a part of a file in the documents: see check-docs. */
#include <coop.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

fragment
