#include "api/rendered.h"

#include "format/entitytag.h"
#include "profile/representation.h"

bool rendered_take(struct exchange *exchange, struct rendered *out)
{
    struct service *service = exchange->service;
    char etag[REPRESENTATION_ETAG_LEN + 1];

    out->body = buf_str(&service->body_out);
    return representation_etag(service->digest, out->body, etag) &&
           arena_copy(service->arena, str_from(etag), &out->etag);
}

bool rendered_make(struct exchange *exchange, const struct profile *profile, struct rendered *out)
{
    struct buf *body = &exchange->service->body_out;

    buf_reset(body);
    return representation_render(profile, body) && rendered_take(exchange, out);
}

/* Strong comparison; a list that is malformed matches nothing. */
bool rendered_is_other(const struct exchange *exchange, const struct rendered *rendered)
{
    struct str header = exchange->request->header[REQUEST_IF_MATCH];

    return str_is_set(header) && entitytag_match_strong(header, rendered->etag) != ENTITYTAG_MATCH;
}

/* Weak comparison; a list that is malformed matches nothing. */
bool rendered_is_known(const struct exchange *exchange, const struct rendered *rendered)
{
    struct str header = exchange->request->header[REQUEST_IF_NONE_MATCH];

    return str_is_set(header) && entitytag_match_weak(header, rendered->etag) == ENTITYTAG_MATCH;
}

void rendered_send(struct exchange *exchange, const struct rendered *rendered)
{
    struct response *response = exchange->response;

    response->status = 200;
    response->content_type = "application/json";
    response->body = rendered->body;
    (void)response_add(response, "ETag", rendered->etag);
}

void rendered_send_unchanged(struct exchange *exchange, const struct rendered *rendered)
{
    exchange->response->status = 304;
    (void)response_add(exchange->response, "ETag", rendered->etag);
}

/* Why If-Match cannot match anything, where that is so. */
static struct str fault_of(struct str if_match, struct str etag)
{
    if (!str_is_set(if_match))
        return STR_NONE;
    if (entitytag_match_strong(if_match, etag) == ENTITYTAG_MALFORMED)
        return STR("If-Match is no list of entity tags, each in double quotes");
    if (entitytag_match_strong(if_match, etag) == ENTITYTAG_NO_MATCH &&
        entitytag_match_weak(if_match, etag) == ENTITYTAG_MATCH)
        return STR("in If-Match a weak entity tag (W/) matches nothing");
    return STR_NONE;
}

enum problem rendered_refuse(struct exchange *exchange, const struct rendered *rendered)
{
    (void)response_add(exchange->response, "ETag", rendered->etag);
    exchange->note = fault_of(exchange->request->header[REQUEST_IF_MATCH], rendered->etag);
    return PROBLEM_PRECONDITION_FAILED;
}
