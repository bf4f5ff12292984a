/*
 * Lists of entity tags in If-Match and If-None-Match (RFC 9110, sections 8.8.3, 13.1.1 and 13.1.2).
 */
#ifndef ME_FORMAT_ENTITYTAG_H
#define ME_FORMAT_ENTITYTAG_H

#include "base/str.h"

enum entitytag_match {
    ENTITYTAG_NO_MATCH,
    ENTITYTAG_MATCH,    /* one of the list, or `*` */
    ENTITYTAG_MALFORMED /* the list is none, whatever it has before the fault */
};

/* `etag` is a strong tag with its quotes. By strong comparison (If-Match) a weak tag of the list
 * matches nothing. */
enum entitytag_match entitytag_match_strong(struct str header, struct str etag);

/* By weak comparison (If-None-Match). */
enum entitytag_match entitytag_match_weak(struct str header, struct str etag);

#endif
