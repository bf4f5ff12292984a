#include "gateway/environment.h"

#include <string.h>

#include "gateway/path.h"

/* What a request consists of, beside its headers. */
enum part { PART_METHOD, PART_SCRIPT_NAME, PART_PATH_INFO, PART_REQUEST_URI, PART__MAX };

static const struct str part_names[PART__MAX] = {
    [PART_METHOD] = STR("REQUEST_METHOD"),
    [PART_SCRIPT_NAME] = STR("SCRIPT_NAME"),
    [PART_PATH_INFO] = STR("PATH_INFO"),
    [PART_REQUEST_URI] = STR("REQUEST_URI"),
};

/* Authorization and the configured header are looked for in their own ways. */
static const struct str header_names[REQUEST_HEADER__MAX] = {
    [REQUEST_ACCEPT] = STR("HTTP_ACCEPT"),
    [REQUEST_CONTENT_LENGTH] = STR("CONTENT_LENGTH"),
    [REQUEST_CONTENT_TYPE] = STR("CONTENT_TYPE"),
    [REQUEST_IF_MATCH] = STR("HTTP_IF_MATCH"),
    [REQUEST_IF_NONE_MATCH] = STR("HTTP_IF_NONE_MATCH"),
    [REQUEST_REQUEST_ID] = STR("HTTP_X_REQUEST_ID"),
    [REQUEST_ORIGIN] = STR("HTTP_ORIGIN"),
    [REQUEST_METHOD_OVERRIDE] = STR("HTTP_X_HTTP_METHOD_OVERRIDE"),
    [REQUEST_DOCTOR] = STR("HTTP_X_ME_DOCTOR"),
};

bool environment_name_of_header(const char *header, char out[ENVIRONMENT_NAME_MAX_BYTES])
{
    struct str name = str_from(header);
    const struct str prefix = STR("HTTP_");

    out[0] = '\0';
    if (!str_is_set(name))
        return true;
    if (prefix.len + name.len >= ENVIRONMENT_NAME_MAX_BYTES)
        return false;
    memcpy(out, prefix.data, prefix.len);
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];

        out[prefix.len + i] = c == '-' ? '_' : (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    }
    out[prefix.len + name.len] = '\0';
    return true;
}

/* Takes all REDIRECT_ prefixes off and tells how many there were. Few names begin with their letter,
 * and that is quickly seen. */
static size_t strip_redirects(struct str *name)
{
    const struct str prefix = STR("REDIRECT_");
    size_t count = 0;

    while (name->len > 0 && name->data[0] == prefix.data[0] && str_starts_with(*name, prefix)) {
        name->data += prefix.len;
        name->len -= prefix.len;
        count++;
    }
    return count;
}

/* The lengths first: each variable is held against each name, and nearly all differ. */
static bool is_name(struct str name, struct str wanted)
{
    return name.len == wanted.len && memcmp(name.data, wanted.data, wanted.len) == 0;
}

static bool is_authorization(struct str name)
{
    return is_name(name, STR("HTTP_AUTHORIZATION")) || is_name(name, STR("Authorization"));
}

struct reading {
    struct request *request;
    struct str part[PART__MAX];
    struct str token_variable;
    size_t redirects; /* before the Authorization that was found */
    uint64_t lengths; /* of the names in the two tables: a bit for each */
};

static bool take(struct str name, const char *value, const struct str *names, size_t count,
                 struct str *values)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_name(name, names[i]))
            continue;
        values[i] = str_from(value);
        return true;
    }
    return false;
}

static void take_authorization(struct reading *reading, struct str name, const char *value)
{
    struct str *header = &reading->request->header[REQUEST_AUTHORIZATION];
    size_t redirects = strip_redirects(&name);

    /* An empty one is what Apache's SetEnvIf leaves where nothing was sent. */
    if (!is_authorization(name) || value[0] == '\0')
        return;
    if (str_is_set(*header) && reading->redirects <= redirects)
        return;
    *header = str_from(value);
    reading->redirects = redirects;
}

static uint64_t lengths_of(const struct str *names, size_t count)
{
    uint64_t lengths = 0;

    for (size_t i = 0; i < count; i++)
        lengths |= UINT64_C(1) << names[i].len % 64;
    return lengths;
}

/* Most are none of those that are looked for: their values are not even measured. */
static void take_variable(struct reading *reading, struct str name, const char *value)
{
    struct request *request = reading->request;

    if (name.len == 0)
        return;
    if ((reading->lengths >> name.len % 64 & 1) != 0 &&
        (take(name, value, part_names, PART__MAX, reading->part) ||
         take(name, value, header_names, REQUEST_HEADER__MAX, request->header)))
        return;
    if (is_name(name, reading->token_variable))
        request->header[REQUEST_TOKEN] = str_from(value);
    else
        take_authorization(reading, name, value);
}

void environment_read(char *const *variables, const char *token_variable, struct request *out)
{
    struct reading reading = {
        .request = out,
        .token_variable = str_from(token_variable),
        .lengths =
            lengths_of(part_names, PART__MAX) | lengths_of(header_names, REQUEST_HEADER__MAX),
    };

    *out = (struct request){.method = STR("")};
    for (char *const *variable = variables; *variable != NULL; variable++) {
        const char *equals = strchr(*variable, '=');

        if (equals != NULL)
            take_variable(&reading, (struct str){*variable, (size_t)(equals - *variable)},
                          equals + 1);
    }
    if (str_is_set(reading.part[PART_METHOD]))
        out->method = reading.part[PART_METHOD];
    out->path = path_of_request(reading.part[PART_SCRIPT_NAME], reading.part[PART_PATH_INFO],
                                reading.part[PART_REQUEST_URI]);
}

struct str environment_value(char *const *variables, const char *name)
{
    for (char *const *variable = variables; *variable != NULL; variable++) {
        struct str value = str_from(*variable);

        if (str_equal(str_cut(&value, '='), str_from(name)))
            return value;
    }
    return STR_NONE;
}

void environment_find_watched(char *const *variables, const struct settings *settings,
                              struct request *request)
{
    const char *const paths[] = {settings->watch.live_path, settings->watch.ready_path,
                                 settings->watch.metrics_path};

    for (size_t i = 0; i < ARRAY_LENGTH(paths); i++) {
        struct str path = str_from(paths[i]);

        if (paths[i] == NULL)
            continue;
        if (path_is_of_request(path, environment_value(variables, "SCRIPT_NAME"),
                               environment_value(variables, "PATH_INFO"),
                               environment_value(variables, "REQUEST_URI")))
            request->path = path;
        else if (str_equal(request->path, path))
            request->path = STR(""); /* a part of another one */
    }
}
