#include "mectl/infile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK_BYTES = 128 * 1024 };

static bool fail(const struct infile *in, struct err *err)
{
    err_set(err, "%s: %s", in->path, strerror(errno));
    return false;
}

static int64_t size_of(int file)
{
    struct stat info;

    return fstat(file, &info) == 0 && S_ISREG(info.st_mode) ? (int64_t)info.st_size : 0;
}

bool infile_open(const char *path, size_t max_bytes, struct infile *out, struct err *err)
{
    *out = (struct infile){.path = path, .line = 1};
    buf_init(&out->text, max_bytes + CHUNK_BYTES);
    out->file = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC);
    if (out->file < 0)
        return fail(out, err);
    out->size = size_of(out->file);
    return true;
}

void infile_close(struct infile *in)
{
    if (in->file > STDIN_FILENO)
        (void)close(in->file);
    in->file = -1;
    buf_free(&in->text);
}

struct str infile_rest(const struct infile *in)
{
    struct str text = buf_str(&in->text);

    return (struct str){text.data + in->at, text.len - in->at};
}

/* Room for a chunk behind the rest, which moves to the front. */
static char *make_room(struct infile *in)
{
    struct str rest = infile_rest(in);

    if (rest.len + CHUNK_BYTES > in->text.max)
        return NULL;
    if (in->at > 0)
        memmove(in->text.data, rest.data, rest.len);
    in->text.len = rest.len;
    in->at = 0;
    return buf_reserve(&in->text, CHUNK_BYTES);
}

enum infile_result infile_more(struct infile *in, struct err *err)
{
    char *room = make_room(in);
    ssize_t got;

    if (room == NULL)
        return INFILE_FULL;
    do {
        got = read(in->file, room, CHUNK_BYTES);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        (void)fail(in, err);
        return INFILE_FAILED;
    }
    buf_added(&in->text, (size_t)got);
    in->is_whole = got == 0;
    return INFILE_OK;
}

void infile_take(struct infile *in, size_t len)
{
    const char *from = in->text.data + in->at, *end = from + len;

    in->at += len;
    in->taken += (int64_t)len;
    while (from < end && (from = memchr(from, '\n', (size_t)(end - from))) != NULL) {
        in->line++;
        from++;
    }
}
