#include "process/filter.h"

#include <stddef.h>

const struct filter filters[FILTER__MAX] = {{NULL, 0}, {NULL, 0}};
