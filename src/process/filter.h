/*
 * The system calls that a worker may make, as programs for the kernel's seccomp. filter_make.c
 * makes them with libseccomp when this program is built, so that a worker needs no libseccomp and
 * loses no time over them; filter_none.c takes their place where libseccomp was missing then.
 */
#ifndef ME_PROCESS_FILTER_H
#define ME_PROCESS_FILTER_H

enum filter_id {
    FILTER_LOCAL,   /* no sockets but Unix sockets */
    FILTER_NETWORK, /* those of IP as well, and what looking up a name takes */
    FILTER__MAX
};

struct sock_filter;

struct filter {
    const struct sock_filter *rules;
    unsigned short len; /* 0: there is none */
};

extern const struct filter filters[FILTER__MAX];

#endif
