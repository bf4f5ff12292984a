/*
 * The meta-variables of CGI (RFC 3875, section 4.1), which FastCGI hands over as well, into a
 * request.
 */
#ifndef ME_GATEWAY_ENVIRONMENT_H
#define ME_GATEWAY_ENVIRONMENT_H

#include "api/request.h"
#include "format/settings.h"

enum { ENVIRONMENT_NAME_MAX_BYTES = 128 };

/* The variable that a header arrives in: X-Access-Token is HTTP_X_ACCESS_TOKEN. NULL in: an empty
 * text. False: too long. */
bool environment_name_of_header(const char *header,
                                char out[ENVIRONMENT_NAME_MAX_BYTES]) MUST_CHECK;

/*
 * Fills everything but the body's reader, borrowing from `variables` ("NAME=value", ends in NULL).
 * `token_variable` is what environment_name_of_header made of token.header. The Authorization
 * header is taken from wherever servers leave it: HTTP_AUTHORIZATION, Authorization, and both under
 * any number of REDIRECT_ prefixes (Apache puts one before each variable with every internal
 * redirect); the one with the fewest prefixes wins.
 */
void environment_read(char *const *variables, const char *token_variable, struct request *out);

/*
 * Where the settings name paths to be watched, whether the request means one of them, as a whole:
 * then request->path is that, and otherwise never. To be called after environment_read.
 */
void environment_find_watched(char *const *variables, const struct settings *settings,
                              struct request *request);

/* The value of one variable; STR_NONE. */
struct str environment_value(char *const *variables, const char *name);

#endif
