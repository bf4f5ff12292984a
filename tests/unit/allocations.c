#include "allocations.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "unit.h"

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define NONE_CAN_FAIL 1
#endif
#endif

static struct {
    size_t asked;       /* since allocations_fail */
    size_t first, last; /* first > last: none fails */
} allocations = {.first = 1};

void allocations_fail(size_t first, size_t last)
{
    allocations.asked = 0;
    allocations.first = first;
    allocations.last = last;
}

size_t allocations_end(void)
{
    size_t asked = allocations.asked;

    allocations_fail(1, 0);
    return asked;
}

void allocations_skip_where_none_can_fail(void)
{
#ifdef NONE_CAN_FAIL
    skip_because("no allocation can be made to fail in this build");
#endif
}

#ifndef NONE_CAN_FAIL
static bool may_allocate(void)
{
    size_t number = allocations.asked++;

    if (number < allocations.first || number > allocations.last)
        return true;
    errno = ENOMEM;
    return false;
}

/* POSIX lets dlsym give functions; ISO C lets no data pointer become one but by its bytes. */
#define REAL(function, name)                                                                       \
    do {                                                                                           \
        void *found_ = (function) == NULL ? dlsym(RTLD_NEXT, name) : NULL;                         \
        if (found_ != NULL)                                                                        \
            memcpy(&(function), &found_, sizeof(function));                                        \
    } while (0)

void *malloc(size_t size)
{
    static void *(*real)(size_t);

    REAL(real, "malloc");
    return may_allocate() ? real(size) : NULL;
}

void *calloc(size_t count, size_t size)
{
    static void *(*real)(size_t, size_t);

    REAL(real, "calloc");
    return may_allocate() ? real(count, size) : NULL;
}

void *realloc(void *memory, size_t size)
{
    static void *(*real)(void *, size_t);

    REAL(real, "realloc");
    return may_allocate() ? real(memory, size) : NULL;
}
#endif
