/*
 * mectl, the operator's tool: see command.c for what all commands share.
 */
#include "config.h"

#include "mectl/command.h"

int main(int argc, char **argv)
{
    return command_main(argc, argv, PACKAGE_VERSION);
}
