/*
 * Plain CGI (RFC 3875): one request from the environment and standard input, one answer to standard
 * output.
 */
#ifndef ME_GATEWAY_CGI_H
#define ME_GATEWAY_CGI_H

#include "api/api.h"

/* What answers; all of it is borrowed. */
struct cgi {
    struct api *api;
    const struct settings *settings;
    const struct log *log;
};

/*
 * Answers with `cgi`, or, where it is NULL since the API could not be made, with a bare 500. False:
 * the answer could not be written as a whole.
 */
bool cgi_serve(const struct cgi *cgi, char *const *environment) MUST_CHECK;

#endif
