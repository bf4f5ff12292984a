#include "api/subject.h"

#include "base/utf8.h"

static const struct subject_reason reasons[SUBJECT__MAX] = {
    [SUBJECT_NAMED] = {"named", "the token names a user"},
    [SUBJECT_NOT_UUID] = {"subject_not_uuid",
                          "the claim sub is not the id of a user: where it is the issuer's own, "
                          "set token.subject = identity"},
    [SUBJECT_NO_ISSUER] = {"no_issuer",
                           "the claim iss is missing, without which sub is no identity"},
    [SUBJECT_BAD_ISSUER] = {"bad_issuer", "the claim iss is not 1 to 255 bytes of UTF-8"},
    [SUBJECT_BAD_SUBJECT] = {"bad_subject", "the claim sub is not 1 to 255 bytes of UTF-8"},
};

const struct subject_reason *subject_reason(enum subject_verdict verdict)
{
    return &reasons[verdict];
}

static enum subject_verdict judge_user(const struct jwt_claims *claims,
                                       struct access_request *request)
{
    return uuid_parse(claims->subject, &request->user) ? SUBJECT_NAMED : SUBJECT_NOT_UUID;
}

static bool is_key(struct str text)
{
    return text.len > 0 && text.len <= IDENTITY_MAX_BYTES && !str_has_byte(text, '\0') &&
           utf8_is_valid(text);
}

static enum subject_verdict judge_identity(const struct jwt_claims *claims,
                                           struct access_request *request)
{
    if (!str_is_set(claims->issuer))
        return SUBJECT_NO_ISSUER;
    if (!is_key(claims->issuer))
        return SUBJECT_BAD_ISSUER;
    if (!is_key(claims->subject))
        return SUBJECT_BAD_SUBJECT;
    request->issuer = claims->issuer;
    request->subject = claims->subject;
    return SUBJECT_NAMED;
}

enum subject_verdict subject_judge(const struct jwt_claims *claims, enum settings_subject subject,
                                   struct access_request *request)
{
    return subject == SETTINGS_SUBJECT_IDENTITY ? judge_identity(claims, request)
                                                : judge_user(claims, request);
}
