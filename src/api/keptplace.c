#include "config.h"

#include "api/keptplace.h"

#include <inttypes.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"

enum { SUBJECT_MAX_BYTES = 64 * 1024, NAME_DIGEST_BYTES = 8, TMPFS_KIND = 0x01021994 };

static const char folder[] = "/dev/shm";
static const char program[] = "/proc/self/exe";

/* ---- what is digested: each text with its length, so that none runs into the next */

static void append_text(struct buf *out, const char *text)
{
    struct str s = str_from(text);

    buf_append_format(out, "%zu:", s.len);
    buf_append_str(out, s);
}

static void append_configuration(const struct settings *settings, struct buf *out)
{
    append_text(out, settings->file);
    append_text(out, settings->database.name);
    for (size_t i = 0; i < settings->database.host.count; i++)
        append_text(out, settings->database.host.items[i]);
}

/* The program itself comes first. Where the linker gave it an id, that is in its notes. */
static int append_notes(struct dl_phdr_info *info, size_t size, void *context)
{
    struct buf *out = context;

    (void)size;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];

        if (part->p_type == PT_NOTE)
            buf_append(out, (const void *)(info->dlpi_addr + part->p_vaddr), part->p_memsz);
    }
    return 1;
}

/* A copy of a build is the same build, whichever name it has. Who makes packages may give each
 * build the same time, and another build often has the same size. */
static bool append_build(struct buf *out, struct err *err)
{
    struct file_stamp stamp;

    if (!file_stamp_of(program, &stamp)) {
        err_set(err, "%s cannot be looked at: which build of the program is this?", program);
        return false;
    }
    append_text(out, PACKAGE_VERSION);
    buf_append_format(out, "%" PRId64 "/%" PRId64, stamp.size, stamp.modified_ns);
    (void)dl_iterate_phdr(append_notes, out);
    return true;
}

static bool digest_it(struct digest *digest, const struct buf *text, unsigned char *out,
                      struct err *err)
{
    if (buf_is_good(text) && digest_of(digest, buf_str(text), out))
        return true;
    err_set(err, "out of memory");
    return false;
}

/* ---- the path */

static bool is_in_memory(const char *path)
{
    struct statfs info;

    return statfs(path, &info) == 0 && info.f_type == TMPFS_KIND;
}

static bool name_file(const unsigned char *digest, struct keptplace *out, struct err *err)
{
    char name[2 * NAME_DIGEST_BYTES + 1];

    if (!is_in_memory(folder)) {
        err_set(err,
                "%s is not there, or not in memory: set cache.path to a file that is to be "
                "made, on a tmpfs, or cache.mode = off",
                folder);
        return false;
    }
    for (size_t i = 0; i < NAME_DIGEST_BYTES; i++)
        (void)snprintf(name + 2 * i, 3, "%02x", digest[i]);
    (void)snprintf(out->path, sizeof(out->path), "%s/me-fcgi-%lu-%s", folder,
                   (unsigned long)geteuid(), name);
    return true;
}

static bool set_path(const struct settings *settings, const unsigned char *digest,
                     struct keptplace *out, struct err *err)
{
    const char *path = settings->cache.path;

    if (path == NULL)
        return name_file(digest, out, err);
    (void)snprintf(out->path, sizeof(out->path), "%s", path); /* it is no longer than a path is */
    return true;
}

static bool choose(const struct settings *settings, struct digest *digest, struct keptplace *out,
                   struct buf *text, struct err *err)
{
    unsigned char configuration[DIGEST_BYTES];

    append_configuration(settings, text);
    return digest_it(digest, text, configuration, err) &&
           set_path(settings, configuration, out, err) && append_build(text, err) &&
           digest_it(digest, text, out->place.identity, err);
}

bool keptplace_choose(const struct settings *settings, struct digest *digest, struct keptplace *out,
                      struct err *err)
{
    struct buf text;
    bool good;

    buf_init(&text, SUBJECT_MAX_BYTES);
    *out = (struct keptplace){.path = ""};
    good = choose(settings, digest, out, &text, err);
    buf_free(&text);
    out->place.path = out->path;
    out->place.size_bytes = settings->cache.size_mib * 1024 * 1024;
    return good;
}
