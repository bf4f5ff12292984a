/*
 * Plain CGI (RFC 3875): one request from the environment and standard input, one answer to standard
 * output.
 */
#ifndef ME_GATEWAY_CGI_H
#define ME_GATEWAY_CGI_H

#include "api/api.h"

/*
 * Answers with `api`, or, where it is NULL since it could not be made, with a bare 500. False: the
 * answer could not be written as a whole.
 */
bool cgi_serve(struct api *api, const struct settings *settings,
               char *const *environment) MUST_CHECK;

#endif
