#include "process/standalone.h"

bool standalone_set_up(void)
{
    return true;
}
