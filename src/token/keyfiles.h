/*
 * The key files of the settings, and the keyring made of them, kept up with the files while the
 * worker runs. A file is replaced as a whole: its new keys come into force together, and where it
 * cannot be read or used, its last good ones stay.
 */
#ifndef ME_TOKEN_KEYFILES_H
#define ME_TOKEN_KEYFILES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/file.h"
#include "format/settings.h"
#include "token/keyring.h"

/* What is told of a file, once for each time that it happens. */
enum keyfiles_event {
    KEYFILES_CHANGED, /* its new keys are in force */
    KEYFILES_FAILED,  /* it cannot be used; its last good keys stay in force */
    KEYFILES_PASSED,  /* a key of a JWKS is not for us, and passed over */
    KEYFILES_SKIPPED, /* a key of a JWKS is defective, and passed over */
    KEYFILES_EVENT__MAX
};

/* `path` and `detail` are borrowed for the call. */
typedef void keyfiles_tell(void *context, enum keyfiles_event event, const char *path,
                           const char *detail);

struct keyfiles;

/*
 * Reads every file of token.secret_file, token.public_key_file and token.jwks_file; the settings,
 * and `context`, are borrowed for the life of the object. `readers` is demanded of files that hold
 * a secret. NULL with `err` (the setting, the file, and what to do) at the first file that cannot
 * be used, and where no file is named at all.
 */
struct keyfiles *keyfiles_open(const struct settings *settings, enum file_readers readers,
                               int64_t monotonic_us, keyfiles_tell *tell, void *context,
                               struct err *err) MUST_CHECK;
void keyfiles_close(struct keyfiles *files);

/*
 * Looks whether a file has changed, at most once a second, and reads those that have. A file that
 * was written to within the last tenth of a second is left for the next look: it may be
 * half-written.
 */
void keyfiles_refresh(struct keyfiles *files, int64_t now_ms, int64_t monotonic_us);

/* The keys in force, borrowed until the next keyfiles_refresh. */
const struct keyring *keyfiles_keyring(const struct keyfiles *files);

/* When the file of the keys in force that was changed last was changed. */
int64_t keyfiles_modified_ms(const struct keyfiles *files);

/* Another number whenever the keyring is another one. */
uint64_t keyfiles_generation(const struct keyfiles *files);

#endif
