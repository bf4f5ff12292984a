#include "damage.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"

enum { PAGE_BYTES = 4096, PAGES_MAX = 32, BLOCK_BYTES = 512, BYTES_MAX = 64 };

const char *damage_path(void)
{
    static char path[512];
    const char *base = getenv("TMPDIR");
    int len;

    if (path[0] != '\0')
        return path;
    len = snprintf(path, sizeof(path), "%s/fuzz-cache.XXXXXX", base == NULL ? "/tmp" : base);
    require(len > 0 && (size_t)len + sizeof("/file") < sizeof(path) && mkdtemp(path) != NULL,
            "there is a folder");
    memcpy(path + len, "/file", sizeof("/file"));
    return path;
}

static off_t size_of(int file)
{
    struct stat info;

    require(fstat(file, &info) == 0, "the file can be looked at");
    return info.st_size;
}

void damage_empty(int file)
{
    off_t size = size_of(file);

    require(ftruncate(file, PAGE_BYTES) == 0 && ftruncate(file, size) == 0, "it can be emptied");
}

/* ---- the pages that something was written to */

struct pages {
    off_t offsets[PAGES_MAX];
    size_t count;
};

static void find_pages(int file, struct pages *out)
{
    off_t at = lseek(file, 0, SEEK_DATA);

    out->count = 0;
    while (at >= 0 && out->count < PAGES_MAX) {
        out->offsets[out->count++] = at;
        at = lseek(file, at + PAGE_BYTES, SEEK_DATA);
    }
}

void damage_save(int file, struct buf *out)
{
    struct pages pages;

    find_pages(file, &pages);
    buf_reset(out);
    for (size_t i = 0; i < pages.count; i++) {
        char bytes[PAGE_BYTES];
        ssize_t got = pread(file, bytes, sizeof(bytes), pages.offsets[i]);

        if (got != PAGE_BYTES)
            continue;
        buf_append(out, &pages.offsets[i], sizeof(pages.offsets[i]));
        buf_append(out, bytes, sizeof(bytes));
    }
}

/* ---- acts */

static size_t take_number(struct str *rest)
{
    size_t high = take_choice(rest, 256);

    return high << 8 | take_choice(rest, 256);
}

static off_t take_place(int file, struct str *rest)
{
    struct pages pages;

    find_pages(file, &pages);
    if (pages.count == 0)
        return 0;
    return pages.offsets[take_choice(rest, pages.count)] + (off_t)(take_number(rest) % PAGE_BYTES);
}

static void write_at(int file, off_t place, const void *bytes, size_t len)
{
    if (place + (off_t)len <= size_of(file))
        require(pwrite(file, bytes, len, place) == (ssize_t)len, "the file takes it");
}

static void flip(int file, struct str *rest)
{
    off_t place = take_place(file, rest);
    char byte = 0;

    if (pread(file, &byte, 1, place) != 1)
        return;
    byte = (char)(byte ^ (int)(take_choice(rest, 255) + 1));
    write_at(file, place, &byte, 1);
}

static void copy(int file, struct str *rest)
{
    off_t from = take_place(file, rest), to = take_place(file, rest);
    char block[BLOCK_BYTES];

    if (pread(file, block, sizeof(block), from) == sizeof(block))
        write_at(file, to, block, sizeof(block));
}

static void clear(int file, struct str *rest)
{
    static const char nothing[BLOCK_BYTES];

    write_at(file, take_place(file, rest), nothing, sizeof(nothing));
}

static void write_bytes(int file, struct str *rest)
{
    off_t place = take_place(file, rest);
    size_t len = take_choice(rest, BYTES_MAX);

    if (len > rest->len)
        len = rest->len;
    write_at(file, place, rest->data, len);
    rest->data += len;
    rest->len -= len;
}

static void cut(int file, struct str *rest)
{
    off_t size = size_of(file) * (off_t)take_choice(rest, 256) / 256;

    require(ftruncate(file, size) == 0, "the file can be cut");
}

static void bring_back(int file, const struct buf *before)
{
    struct str rest = buf_str(before);
    off_t place;

    for (; rest.len >= sizeof(place) + PAGE_BYTES;
         rest = (struct str){rest.data + sizeof(place) + PAGE_BYTES,
                             rest.len - sizeof(place) - PAGE_BYTES}) {
        memcpy(&place, rest.data, sizeof(place));
        write_at(file, place, rest.data + sizeof(place), PAGE_BYTES);
    }
}

enum act { ACT_NONE, ACT_FLIP, ACT_COPY, ACT_CLEAR, ACT_WRITE, ACT_CUT, ACT_BRING_BACK, ACT__MAX };

bool damage_take(int file, struct str *rest, const struct buf *before)
{
    static void (*const acts[ACT__MAX])(int, struct str *) = {
        [ACT_FLIP] = flip,         [ACT_COPY] = copy, [ACT_CLEAR] = clear,
        [ACT_WRITE] = write_bytes, [ACT_CUT] = cut,
    };
    off_t size = size_of(file);
    enum act act = (enum act)take_choice(rest, ACT__MAX);

    if (act == ACT_BRING_BACK)
        bring_back(file, before);
    else if (act != ACT_NONE)
        acts[act](file, rest);
    return size_of(file) == size;
}
