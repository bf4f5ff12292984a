#include "mectl/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

static bool fail(struct err *err, const char *path, const char *what)
{
    err_set(err, "%s: %s", path, what);
    return false;
}

static const char *other_name(const struct outfile *out)
{
    return out->other.data;
}

static bool create(struct outfile *out, struct err *err)
{
    int file = open(other_name(out), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (file < 0 && errno == EEXIST)
        return fail(err, other_name(out),
                    "is there: another command writes it, or one was broken off: remove it then");
    if (file < 0)
        return fail(err, other_name(out), strerror(errno));
    out->stream = fdopen(file, "w");
    if (out->stream != NULL)
        return true;
    (void)close(file);
    (void)unlink(other_name(out));
    return fail(err, other_name(out), "out of memory");
}

bool outfile_open(const char *path, struct outfile *out, struct err *err)
{
    *out = (struct outfile){.stream = stdout};
    buf_init(&out->other, PATH_MAX);
    if (strcmp(path, "-") == 0)
        return true;
    out->path = path;
    buf_append_format(&out->other, "%s.new", path);
    buf_append_byte(&out->other, '\0');
    if (!buf_is_good(&out->other))
        err_set(err, "the name of the file is too long");
    else if (file_exists(path))
        (void)fail(err, path, "is there already: nothing is overwritten");
    else if (create(out, err))
        return true;
    buf_free(&out->other);
    return false;
}

/* Notes why not, where that is not known yet. */
static bool note(struct outfile *out, bool good)
{
    if (!good && out->error == 0)
        out->error = errno;
    return good;
}

bool outfile_add(struct outfile *out, const char *text)
{
    return note(out, fputs(text, out->stream) >= 0 && fputc('\n', out->stream) != EOF);
}

bool outfile_add_bytes(struct outfile *out, struct str bytes)
{
    return note(out, fwrite(bytes.data, 1, bytes.len, out->stream) == bytes.len);
}

bool outfile_finish(struct outfile *out, struct err *err)
{
    if (out->path == NULL)
        return true;
    (void)note(out, fflush(out->stream) == 0 && fsync(fileno(out->stream)) == 0);
    (void)note(out, fclose(out->stream) == 0);
    if (out->error == 0)
        (void)note(out, rename(other_name(out), out->path) == 0);
    if (out->error != 0) {
        (void)fail(err, out->path, strerror(out->error));
        (void)unlink(other_name(out));
    }
    buf_free(&out->other);
    return out->error == 0;
}

void outfile_abandon(struct outfile *out)
{
    if (out->path == NULL)
        return;
    (void)fclose(out->stream); /* it goes anyway */
    (void)unlink(other_name(out));
    buf_free(&out->other);
}
