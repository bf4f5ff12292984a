#include "profile/email.h"

#include <stdbool.h>
#include <stddef.h>

#include "profile/ascii.h"

/* atext of RFC 5322, section 3.2.3. */
static bool is_atom(struct str atom)
{
    for (size_t i = 0; i < atom.len; i++)
        if (!ascii_is_alnum(atom.data[i]) &&
            !str_has_byte(STR("!#$%&'*+-/=?^_`{|}~"), atom.data[i]))
            return false;
    return atom.len > 0;
}

static bool is_local_part(struct str local)
{
    if (local.len > EMAIL_LOCAL_MAX_BYTES)
        return false;
    while (str_is_set(local))
        if (!is_atom(str_cut(&local, '.')))
            return false;
    return true;
}

/* sub-domain of RFC 5321, section 4.1.2. */
static bool is_label(struct str label)
{
    if (label.len == 0 || label.len > EMAIL_LABEL_MAX_BYTES)
        return false;
    for (size_t i = 0; i < label.len; i++)
        if (!ascii_is_alnum(label.data[i]) && label.data[i] != '-')
            return false;
    return label.data[0] != '-' && label.data[label.len - 1] != '-';
}

static bool is_all_digits(struct str label)
{
    for (size_t i = 0; i < label.len; i++)
        if (!ascii_is_digit(label.data[i]))
            return false;
    return true;
}

static bool is_domain(struct str domain)
{
    struct str label = STR_NONE;

    while (str_is_set(domain)) {
        label = str_cut(&domain, '.');
        if (!is_label(label))
            return false;
    }
    return str_is_set(label) && !is_all_digits(label);
}

enum violation validate_email(struct str address)
{
    struct str domain = address, local;

    if (address.len == 0 || address.len > EMAIL_MAX_BYTES)
        return VIOLATION_INVALID_EMAIL;
    local = str_cut(&domain, '@');
    return is_local_part(local) && is_domain(domain) ? VIOLATION_NONE : VIOLATION_INVALID_EMAIL;
}
