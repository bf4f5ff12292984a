#include "gateway/path.h"

#include <string.h>

enum { WATCHED_MAX_BYTES = 4096 }; /* of a path that may be one to be watched */

static const struct str resource = STR("/me");

/* What the program may be called where a server calls it by its file name. */
static const struct str program_names[] = {STR("me.fcgi"), STR("me.cgi")};

static struct str last_segment(struct str path)
{
    const char *slash = path.len == 0 ? NULL : memrchr(path.data, '/', path.len);
    size_t skip = slash == NULL ? 0 : (size_t)(slash + 1 - path.data);

    return (struct str){path.data + skip, path.len - skip};
}

static bool is_program(struct str path)
{
    if (path.len == 0)
        return false;
    for (size_t i = 0; i < ARRAY_LENGTH(program_names); i++)
        if (str_equal(last_segment(path), program_names[i]))
            return true;
    return false;
}

/* Of a whole path: the resource under any prefix, or the program itself. */
static bool is_whole_resource(struct str path)
{
    return str_ends_with(path, resource) || is_program(path);
}

/* Without query and, in absolute form (RFC 9112, section 3.2.2), without scheme and host. */
static struct str path_of_uri(struct str uri)
{
    struct str rest = uri, path = str_cut(&rest, '?');
    const char *host;

    if (path.len == 0 || path.data[0] == '/')
        return path;
    host = memmem(path.data, path.len, "://", 3);
    if (host == NULL)
        return path;
    rest = (struct str){host + 3, path.len - (size_t)(host + 3 - path.data)};
    (void)str_cut(&rest, '/');
    /* The slash that was cut off belongs to the path. */
    return str_is_set(rest) ? (struct str){rest.data - 1, rest.len + 1} : STR("/");
}

/* Whether SCRIPT_NAME and PATH_INFO, put together, are the resource. */
static bool is_split_resource(struct str script_name, struct str path_info)
{
    if (path_info.len == 0)
        return is_whole_resource(script_name);
    if (is_program(script_name))
        return str_equal(path_info, resource);
    /* A server that maps by prefix may cut anywhere, as /menu into /me and nu. */
    if (path_info.data[0] != '/')
        return false;
    return is_whole_resource(path_info);
}

struct str path_of_request(struct str script_name, struct str path_info, struct str request_uri)
{
    struct str path;

    if (script_name.len == 0 && path_info.len == 0) {
        path = path_of_uri(request_uri);
        /* PATH_INFO is empty in a URI like /cgi-bin/me.fcgi/me only here: the ending is enough. */
        return is_whole_resource(path) ? resource : path;
    }
    if (is_split_resource(script_name, path_info))
        return resource;
    path = path_info.len > 0 ? path_info : script_name;
    return str_equal(path, resource) ? STR("") : path;
}

/* Whether a whole path is `path`, from the root on or after the program. */
static bool is_whole(struct str whole, struct str path)
{
    struct str front = whole;

    if (str_equal(whole, path))
        return true;
    if (!str_ends_with(whole, path))
        return false;
    front.len -= path.len;
    return is_program(front);
}

bool path_is_of_request(struct str path, struct str script_name, struct str path_info,
                        struct str request_uri)
{
    char both[WATCHED_MAX_BYTES];

    if (script_name.len == 0 && path_info.len == 0)
        return is_whole(path_of_uri(request_uri), path);
    if (script_name.len + path_info.len > sizeof(both))
        return false;
    /* Servers cut it anywhere, also in the midst of the program's path. */
    if (script_name.len > 0)
        memcpy(both, script_name.data, script_name.len);
    if (path_info.len > 0)
        memcpy(both + script_name.len, path_info.data, path_info.len);
    return is_whole((struct str){both, script_name.len + path_info.len}, path);
}
