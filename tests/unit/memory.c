#include "memory.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The names are the linker's choice. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void __wrap_free(void *block);

static struct {
    size_t allowed;
    const char *secret; /* NULL: nothing is watched for */
    size_t leaks, frees;
} memory = {.allowed = SIZE_MAX};

void memory_allows(size_t count)
{
    memory.allowed = count;
}

void memory_is_plenty(void)
{
    memory.allowed = SIZE_MAX;
}

void memory_watch(const char *secret)
{
    memory.secret = secret;
    memory.leaks = memory.frees = 0;
}

size_t memory_leaks(void)
{
    return memory.leaks;
}

size_t memory_frees(void)
{
    return memory.frees;
}

static int may_allocate(void)
{
    if (memory.allowed == SIZE_MAX)
        return 1;
    if (memory.allowed == 0)
        return 0;
    memory.allowed--;
    return 1;
}

void *__wrap_malloc(size_t size)
{
    return may_allocate() ? __real_malloc(size) : NULL;
}

void *__wrap_calloc(size_t count, size_t size)
{
    return may_allocate() ? __real_calloc(count, size) : NULL;
}

void __wrap_free(void *block)
{
    if (block != NULL && memory.secret != NULL) {
        memory.frees++;
        if (memmem(block, malloc_usable_size(block), memory.secret, strlen(memory.secret)) != NULL)
            memory.leaks++;
    }
    __real_free(block);
}
