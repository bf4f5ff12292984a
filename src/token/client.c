#include "token/client.h"

#include "format/strictjson.h"

/* By preference. */
static const struct str claim_names[] = {STR("azp"), STR("client_id")};

struct finding {
    struct buf *room;
    struct str values[ARRAY_LENGTH(claim_names)];
};

static bool take(void *context, struct str name, const struct strictjson_value *value)
{
    struct finding *finding = context;

    if (value->kind != STRICTJSON_STRING || value->text.len == 0)
        return true;
    for (size_t i = 0; i < ARRAY_LENGTH(claim_names); i++)
        if (str_equal(name, claim_names[i]))
            return strictjson_resolve(value->text, finding->room, &finding->values[i]);
    return true;
}

bool client_of_token(struct str payload, struct buf *room, struct str *out)
{
    struct finding finding = {.room = room};
    const struct strictjson_visitor visitor = {.item = take, .context = &finding};

    *out = STR_NONE;
    if (strictjson_scan_object(payload, &visitor, NULL) != STRICTJSON_OK)
        return false;
    for (size_t i = 0; i < ARRAY_LENGTH(claim_names) && !str_is_set(*out); i++)
        *out = finding.values[i];
    return true;
}
