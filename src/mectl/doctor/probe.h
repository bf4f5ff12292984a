/*
 * What the questions of mectl doctor to a web server share: how they are put, and what is known so
 * far. Of the files doctor_*.c alone.
 */
#ifndef ME_MECTL_DOCTOR_PROBE_H
#define ME_MECTL_DOCTOR_PROBE_H

#include "base/uuid.h"
#include "mectl/doctor/answer.h"
#include "mectl/doctor/outside.h"
#include "mectl/http.h"

enum { PROBE_RUN_MAX_BYTES = 32, PROBE_ID_MAX_BYTES = 64, PROBE_TEXT_MAX_BYTES = 4096 };

struct probe {
    struct report *report;
    const struct outside *outside;
    struct buf authorization, other_authorization;         /* "Bearer TOKEN" and a NUL; or empty */
    char run[PROBE_RUN_MAX_BYTES], id[PROBE_ID_MAX_BYTES]; /* of this run, of the last request */
    unsigned asked;
    char etag[PROBE_TEXT_MAX_BYTES]; /* of the profile; empty: none */
    struct uuid user;
    bool has_answer; /* some web server is there */
    bool is_reached; /* me.fcgi answers */
    bool is_served;  /* with the profile, to the token */
    bool takes_patch;
};

struct question {
    const char *method; /* NULL: GET */
    const char *authorization;
    struct http_header more[4];
    struct str body; /* STR_NONE: none */
};

/* Gives the next request an id of its own. */
void probe_number(struct probe *probe);

/* Puts a question; the answer is to be freed whatever the result is. */
enum http_result probe_ask(struct probe *probe, const struct question *question,
                           struct http_answer *answer, struct err *err) MUST_CHECK;

/* The same, of whoever answered before: where nobody does, that is reported, and it is false. */
bool probe_ask_again(struct probe *probe, const struct question *question,
                     struct http_answer *answer) MUST_CHECK;

/* "Bearer TOKEN"; NULL: there is no token. */
const char *probe_authorization(const struct probe *probe);

/* What is known of an answer that is not as it should be. */
struct err probe_describe(const struct probe *probe, const struct http_answer *answer);
/* Found on me.conf, where a remedy names that. */
void probe_find_as_described(const struct probe *probe, enum finding finding,
                             const struct http_answer *answer);

/* What an answer means that is not of me.fcgi. */
enum finding probe_finding_of_foreign(const struct http_answer *answer);

/* Reports what keeps me.fcgi from answering anybody; false: nothing does. */
bool probe_find_general_failure(const struct probe *probe, enum problem problem,
                                const struct http_answer *answer);

/* Reports a status that is another one than me.fcgi gave its answer. */
void probe_find_status(const struct probe *probe, const struct answer_judgement *judgement,
                       const struct http_answer *answer);

/* Whether a list of a header has this member, in any case. */
bool probe_has_member(struct str list, struct str member);

/* The questions, in the order in which they are put. */
void probe_anonymously(struct probe *probe);
void probe_tls(struct probe *probe);
void probe_worker(struct probe *probe);
void probe_with_token(struct probe *probe);
void probe_compression(struct probe *probe);
void probe_if_none_match(struct probe *probe);
void probe_patch(struct probe *probe);
void probe_if_match(struct probe *probe);
void probe_long_body(struct probe *probe);
void probe_cors(struct probe *probe);
void probe_cache(struct probe *probe);

#endif
