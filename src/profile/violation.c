#include "profile/violation.h"

/* The limits in the texts are those of profile/text.h and profile/url.h. */
static const struct {
    const char *code, *text;
} violations[VIOLATION__MAX] = {
    [VIOLATION_NONE] = {"none", "is valid"},
    [VIOLATION_INVALID_TYPE] = {"invalid_type", "is not a string"},
    [VIOLATION_NOT_UTF8] = {"not_utf8", "is not UTF-8"},
    [VIOLATION_NOT_NULLABLE] = {"not_nullable", "cannot be cleared"},
    [VIOLATION_BLANK] = {"blank", "is empty or nothing but white space"},
    [VIOLATION_TOO_LONG] = {"too_long", "is too long: a name may have 255 characters, a bio 4096, "
                                        "a URL 2048 bytes"},
    [VIOLATION_CONTROL_CHARACTER] = {"control_character",
                                     "has a control character: none is allowed, but tab and line "
                                     "feed in a bio"},
    [VIOLATION_INVALID_URL] = {"invalid_url",
                               "is not an absolute http or https URL with a host, without a user "
                               "name, and with everything but ASCII percent-encoded"},
    [VIOLATION_INVALID_LOCALE] = {"invalid_locale", "is not a BCP 47 language tag"},
    [VIOLATION_INVALID_TIMEZONE] = {"invalid_timezone",
                                    "is not a time zone of the IANA database, such as "
                                    "Europe/Berlin, in exact case"},
    [VIOLATION_READ_ONLY] = {"read_only", "cannot be changed"},
    [VIOLATION_UNKNOWN_MEMBER] = {"unknown_member", "is not a member of the profile"},
    [VIOLATION_INVALID_EMAIL] = {"invalid_email",
                                 "is not an email address of the form local@domain in ASCII"},
    [VIOLATION_INVALID_PHONE_NUMBER] = {"invalid_phone_number",
                                        "is not an E.164 number: a plus and 2 to 15 digits, the "
                                        "first of which is not 0"},
    [VIOLATION_INVALID_BADGE] = {"invalid_badge",
                                 "is not scope:name, both of 1 to 64 letters, digits, '-', '_' "
                                 "and '.'"},
};

const char *violation_code(enum violation violation)
{
    return violations[violation].code;
}

const char *violation_text(enum violation violation)
{
    return violations[violation].text;
}

bool violation_add(struct violation_list *list, struct arena *arena, struct str member,
                   enum violation violation)
{
    struct violation_entry *entry = arena_alloc(arena, sizeof(*entry));

    if (entry == NULL || !arena_copy(arena, member, &entry->member))
        return false;
    entry->violation = violation;
    if (list->last == NULL)
        list->first = entry;
    else
        list->last->next = entry;
    list->last = entry;
    return true;
}
