#include "profile/difference.h"

#include <json-c/json.h>

#include "format/jsonvalue.h"
#include "profile/patch.h"

static bool differs(const struct profile *before, const struct profile *after,
                    enum patch_member member)
{
    return !str_equal(patch_member_text(before, member), patch_member_text(after, member));
}

bool difference_names(const struct profile *before, const struct profile *after, struct buf *out)
{
    size_t start = out->len;

    for (enum patch_member i = PATCH_NAME; i < PATCH_MEMBER__MAX; i++)
        if (differs(before, after, i))
            buf_append_format(out, "%s%s", out->len > start ? "," : "", patch_member_name(i));
    return buf_is_good(out);
}

/* Takes the value over, also on failure. */
static bool add(struct json_object *object, const char *name, struct json_object *value)
{
    if (json_object_object_add(object, name, value) == 0)
        return true;
    json_object_put(value);
    return false;
}

/* An unset text is null, for which json-c has no object. */
static bool add_text(struct json_object *object, const char *name, struct str text)
{
    struct json_object *value = NULL;

    if (str_is_set(text)) {
        value = json_object_new_string_len(text.data, (int)text.len);
        if (value == NULL)
            return false;
    }
    return add(object, name, value);
}

static struct json_object *new_pair(struct str old, struct str new)
{
    struct json_object *pair = json_object_new_object();

    if (pair != NULL && add_text(pair, "old", old) && add_text(pair, "new", new))
        return pair;
    json_object_put(pair);
    return NULL;
}

static bool add_pairs(struct json_object *object, const struct profile *before,
                      const struct profile *after)
{
    for (enum patch_member i = PATCH_NAME; i < PATCH_MEMBER__MAX; i++) {
        struct json_object *pair;

        if (!differs(before, after, i))
            continue;
        pair = new_pair(patch_member_text(before, i), patch_member_text(after, i));
        if (pair == NULL || !add(object, patch_member_name(i), pair))
            return false;
    }
    return true;
}

bool difference_values(const struct profile *before, const struct profile *after, struct buf *out)
{
    struct json_object *object = json_object_new_object();
    bool good = object != NULL && add_pairs(object, before, after) && jsonvalue_append(object, out);

    json_object_put(object);
    return good;
}
