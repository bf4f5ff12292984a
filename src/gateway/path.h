/*
 * Which resource does a URL mean? Servers split it in many ways between SCRIPT_NAME and PATH_INFO
 * (RFC 3875, sections 4.1.5 and 4.1.13); the same resource is meant by /me mapped onto the program,
 * by /cgi-bin/me.fcgi, by /cgi-bin/me.fcgi/me, and by each of them below a prefix. Case matters,
 * and a slash at the end makes another path.
 */
#ifndef ME_GATEWAY_PATH_H
#define ME_GATEWAY_PATH_H

#include "base/str.h"

/*
 * "/me" where it is the resource, else a path that is not (borrowed from the arguments; for the
 * log). REQUEST_URI is looked at only where the other two are empty; what follows its `?` is
 * ignored.
 */
struct str path_of_request(struct str script_name, struct str path_info, struct str request_uri);

/*
 * Whether the whole path of the request is `path`, however a server splits it: after the program
 * where that is called by its name, else from the root on, with no prefix before it.
 */
bool path_is_of_request(struct str path, struct str script_name, struct str path_info,
                        struct str request_uri);

#endif
