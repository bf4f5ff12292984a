/*
 * What a running worker is, told to whoever proves to know the secret of doctor.secret_file, and to
 * nobody else: its version, and a keyed digest of each of its settings. By these mectl doctor finds
 * that a worker was started from other files than those that are there now.
 *
 * The question is "TIME.NONCE.MAC", the MAC an HMAC over TIME.NONCE; the answer "VERSION DIGESTS",
 * the digests cut from HMACs over the nonce and each line of settings_print with its number;
 * process.socket is not told. Without the secret an answer tells nothing but the version, and a
 * question that was overheard can be put again for a minute alone.
 */
#ifndef ME_API_FINGERPRINT_H
#define ME_API_FINGERPRINT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "format/settings.h"

/* The header of both. */
#define FINGERPRINT_HEADER "X-Me-Doctor"

enum { FINGERPRINT_QUESTION_MAX_BYTES = 128, FINGERPRINT_ANSWER_MAX_BYTES = 1024 };

struct fingerprint;

/* Reads doctor.secret_file, which has to be set. The settings are borrowed for the life of the
 * object. NULL with `err`. */
struct fingerprint *fingerprint_new(const struct settings *settings, enum file_readers readers,
                                    struct err *err) MUST_CHECK;
void fingerprint_free(struct fingerprint *fingerprint);

/* Appends a question that is good for a minute. */
bool fingerprint_ask(struct fingerprint *fingerprint, int64_t now_ms, struct buf *out) MUST_CHECK;

/* Appends the answer; false where the question is none, too old, or of somebody else. */
bool fingerprint_answer(struct fingerprint *fingerprint, struct str question, int64_t now_ms,
                        struct buf *out) MUST_CHECK;

/*
 * Calls `visit` with the name of each setting ("log.level") whose digest is another one in `theirs`
 * than in `ours`. False where the answers cannot be compared: they are of different versions, or
 * `theirs` is no answer.
 */
typedef void fingerprint_visit(void *context, struct str setting);
bool fingerprint_compare(const struct fingerprint *fingerprint, struct str ours, struct str theirs,
                         fingerprint_visit *visit, void *context) MUST_CHECK;

/* The version in an answer. */
struct str fingerprint_version(struct str answer);

#endif
