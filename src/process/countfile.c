#include "process/countfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    HEAD_BYTES = 4096,
    FILE_MODE = S_IRUSR | S_IWUSR | S_IRGRP,
    NO_SLOT = -1,
    OPEN_TRIES_MAX = 8, /* others may replace the file while it is opened */
    READ_TRIES_MAX = 4
};

static const char magic[16] = "me-fcgi counts1";

struct head {
    char magic[sizeof(magic)];
    uint64_t layout, counts, checksum;
};

/* One of the two places of a slot. */
struct entry {
    uint64_t number; /* rises with each writing; 0: never written */
    uint64_t checksum;
    uint64_t counts[COUNTFILE_COUNTS_MAX]; /* so many as the file has are written */
};

struct countfile {
    struct countfile_place place;
    int descriptor;
    bool is_reader;
    int slot;                              /* NO_SLOT: none is taken */
    uint64_t number;                       /* of the last writing */
    uint64_t before[COUNTFILE_COUNTS_MAX]; /* what the slot held when it was taken */
    struct entry entry;                    /* for one writing, or reading */
};

/* ---- places in the file */

static size_t entry_bytes(const struct countfile *file)
{
    return offsetof(struct entry, counts) + file->place.counts * sizeof(uint64_t);
}

/* From page to page, so that no two processes write to one. */
static size_t slot_bytes(const struct countfile *file)
{
    size_t page = HEAD_BYTES;

    return (2 * entry_bytes(file) + page - 1) / page * page;
}

static off_t slot_at(const struct countfile *file, int slot)
{
    return (off_t)(HEAD_BYTES + (size_t)slot * slot_bytes(file));
}

static off_t entry_at(const struct countfile *file, int slot, uint64_t number)
{
    return slot_at(file, slot) + (off_t)(number % 2 * entry_bytes(file));
}

static off_t file_bytes(const struct countfile *file)
{
    return slot_at(file, COUNTFILE_SLOTS);
}

/* Against accidents, not against people: in the manner of FNV-1a, of whole words. */
static uint64_t checksum_of(uint64_t start, const uint64_t *words, size_t count)
{
    uint64_t sum = UINT64_C(14695981039346656037) ^ start;

    for (size_t i = 0; i < count; i++) {
        sum = (sum ^ words[i]) * UINT64_C(1099511628211);
        sum ^= sum >> 32;
    }
    return sum;
}

static bool read_at(int descriptor, void *out, size_t size, off_t at)
{
    return pread(descriptor, out, size, at) == (ssize_t)size;
}

static bool write_at(int descriptor, const void *data, size_t size, off_t at)
{
    return pwrite(descriptor, data, size, at) == (ssize_t)size;
}

/* ---- the file */

static struct head head_of(const struct countfile *file)
{
    struct head head = {.layout = file->place.layout, .counts = file->place.counts};

    memcpy(head.magic, magic, sizeof(magic));
    head.checksum = checksum_of(head.layout, &head.counts, 1);
    return head;
}

static bool is_whole(const struct countfile *file, int descriptor)
{
    const struct head wanted = head_of(file);
    struct head head;
    struct stat info;

    return fstat(descriptor, &info) == 0 && info.st_size == file_bytes(file) &&
           read_at(descriptor, &head, sizeof(head), 0) && memcmp(&head, &wanted, sizeof(head)) == 0;
}

/* A link is not followed: whoever may make one there could have any file of ours overwritten. */
static int open_file(const char *path, int flags)
{
    return open(path, flags | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK, FILE_MODE);
}

static bool fail(const struct countfile *file, const char *what, struct err *err)
{
    err_set(err, "%s: %s", file->place.path, what);
    return false;
}

static bool is_trusted(const struct countfile *file, int descriptor, struct err *err)
{
    struct stat info;

    if (fstat(descriptor, &info) != 0)
        return fail(file, strerror(errno), err);
    if (!S_ISREG(info.st_mode))
        return fail(file, "is not a regular file", err);
    if (!file->is_reader && info.st_uid != geteuid())
        return fail(file, "is another user's", err);
    if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return fail(file, "can be written by others: take it away", err);
    return true;
}

/* A new file under a name of its own, until it has its head and length. */
static int make_file(const struct countfile *file, const char *path, struct err *err)
{
    const struct head head = head_of(file);
    int descriptor;

    (void)unlink(path); /* of a process of the same number, which died */
    descriptor = open_file(path, O_RDWR | O_CREAT | O_EXCL);
    if (descriptor >= 0 && ftruncate(descriptor, file_bytes(file)) == 0 &&
        write_at(descriptor, &head, sizeof(head), 0))
        return descriptor;
    (void)fail(file, strerror(errno), err);
    if (descriptor >= 0) {
        (void)close(descriptor);
        (void)unlink(path);
    }
    return -1;
}

/* Puts a new file in its place; `replaces`: also where there is one. Whether that came to pass is
 * seen by whoever opens it then. */
static bool put_file(const struct countfile *file, bool replaces, struct err *err)
{
    char made[PATH_MAX];
    int len = snprintf(made, sizeof(made), "%s.%ld", file->place.path, (long)getpid());
    int descriptor;
    bool good;

    if (len < 0 || (size_t)len >= sizeof(made))
        return fail(file, "is longer than a path may be", err);
    descriptor = make_file(file, made, err);
    if (descriptor < 0)
        return false;
    (void)close(descriptor);
    good = replaces ? rename(made, file->place.path) == 0
                    : link(made, file->place.path) == 0 || errno == EEXIST;
    if (!good)
        (void)fail(file, strerror(errno), err);
    (void)unlink(made);
    return good;
}

static int open_trusted(const struct countfile *file, struct err *err)
{
    int descriptor = open_file(file->place.path, file->is_reader ? O_RDONLY : O_RDWR);
    bool is_absent = descriptor < 0 && errno == ENOENT;

    if (descriptor >= 0 && is_trusted(file, descriptor, err))
        return descriptor;
    if (descriptor >= 0)
        (void)close(descriptor);
    else
        (void)fail(file, errno == ELOOP ? "is a symbolic link" : strerror(errno), err);
    return is_absent ? -1 : -2;
}

/* The file as it should be, made or replaced where it is not. -1 with `err`. */
static int open_or_make(const struct countfile *file, struct err *err)
{
    for (int i = 0; i < OPEN_TRIES_MAX; i++) {
        int descriptor = open_trusted(file, err);
        bool is_there = descriptor >= 0;

        if (is_there && is_whole(file, descriptor)) {
            err_clear(err);
            return descriptor;
        }
        if (is_there)
            (void)close(descriptor);
        if (descriptor == -2 || !put_file(file, is_there, err))
            return -1;
    }
    (void)fail(file, "is replaced again and again", err);
    return -1;
}

/* ---- slots */

static struct flock lock_of(const struct countfile *file, int slot)
{
    return (struct flock){
        .l_type = F_WRLCK,
        .l_whence = SEEK_SET,
        .l_start = slot_at(file, slot),
        .l_len = (off_t)slot_bytes(file),
    };
}

enum slot_state { SLOT_EMPTY, SLOT_DAMAGED, SLOT_GOOD };

/* The newer of the two places of a slot that is as it was written. */
static enum slot_state look_at_slot(struct countfile *file, int slot)
{
    struct entry *entry = &file->entry;
    size_t size = entry_bytes(file);
    unsigned char both[2 * sizeof(struct entry)];
    enum slot_state state = SLOT_EMPTY;
    uint64_t newest = 0;
    size_t best = 0;

    if (!read_at(file->descriptor, both, 2 * size, slot_at(file, slot)))
        return SLOT_DAMAGED;
    for (size_t i = 0; i < 2; i++) {
        memcpy(entry, both + i * size, size);
        if (entry->number != 0 && state == SLOT_EMPTY)
            state = SLOT_DAMAGED;
        if (entry->number <= newest ||
            entry->checksum != checksum_of(entry->number, entry->counts, file->place.counts))
            continue;
        newest = entry->number;
        best = i;
        state = SLOT_GOOD;
    }
    memcpy(entry, both + best * size, size);
    return state;
}

/* Into file->entry. One that seems damaged may be in the course of two writings. */
static bool read_slot(struct countfile *file, int slot)
{
    enum slot_state state = SLOT_DAMAGED;

    for (int i = 0; i < READ_TRIES_MAX && state == SLOT_DAMAGED; i++)
        state = look_at_slot(file, slot);
    return state == SLOT_GOOD;
}

/* What the process before it left is its own from here on. What is carried over from a file that is
 * gone is added to that. */
static void adopt(struct countfile *file, int slot)
{
    size_t counts = file->place.counts - file->place.levels;

    file->slot = slot;
    file->number = 0;
    if (!read_slot(file, slot))
        return;
    file->number = file->entry.number;
    for (size_t i = 0; i < counts; i++)
        file->before[i] += file->entry.counts[i];
}

static void take_slot(struct countfile *file)
{
    for (int slot = 0; slot < COUNTFILE_SLOTS; slot++) {
        struct flock lock = lock_of(file, slot);

        if (fcntl(file->descriptor, F_OFD_SETLK, &lock) != 0)
            continue;
        adopt(file, slot);
        return;
    }
}

/* Its lock goes with the process, so it tells nothing of one's own. */
static bool is_alive(const struct countfile *file, int slot)
{
    struct flock lock = lock_of(file, slot);

    if (slot == file->slot)
        return true;
    return fcntl(file->descriptor, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/* ---- the whole */

static struct countfile *new_file(const struct countfile_place *place, struct err *err)
{
    struct countfile *file = calloc(1, sizeof(*file));

    if (file == NULL || place->counts > COUNTFILE_COUNTS_MAX) {
        err_set(err, "%s: out of memory", place->path);
        free(file);
        return NULL;
    }
    file->place = *place;
    file->descriptor = -1;
    file->slot = NO_SLOT;
    return file;
}

struct countfile *countfile_open(const struct countfile_place *place, struct err *err)
{
    struct countfile *file = new_file(place, err);

    if (file == NULL)
        return NULL;
    file->descriptor = open_or_make(file, err);
    if (file->descriptor < 0) {
        countfile_close(file);
        return NULL;
    }
    take_slot(file);
    return file;
}

struct countfile *countfile_open_to_read(const struct countfile_place *place, struct err *err)
{
    struct countfile *file = new_file(place, err);

    if (file == NULL)
        return NULL;
    file->is_reader = true;
    file->descriptor = open_trusted(file, err);
    if (file->descriptor >= 0) {
        if (is_whole(file, file->descriptor))
            return file;
        (void)fail(file, "was damaged, or is of another version of this program", err);
    }
    countfile_close(file);
    return NULL;
}

void countfile_close(struct countfile *file)
{
    if (file == NULL)
        return;
    if (file->descriptor >= 0)
        (void)close(file->descriptor);
    free(file);
}

bool countfile_write(struct countfile *file, const uint64_t *counts)
{
    struct entry *entry = &file->entry;

    if (file->slot == NO_SLOT)
        take_slot(file);
    if (file->slot == NO_SLOT)
        return false;
    entry->number = ++file->number;
    for (size_t i = 0; i < file->place.counts; i++)
        entry->counts[i] = file->before[i] + counts[i];
    entry->checksum = checksum_of(entry->number, entry->counts, file->place.counts);
    return write_at(file->descriptor, entry, entry_bytes(file),
                    entry_at(file, file->slot, entry->number));
}

static bool is_in_place(const struct countfile *file)
{
    struct stat ours, there;

    return fstat(file->descriptor, &ours) == 0 && lstat(file->place.path, &there) == 0 &&
           ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

/* Where another version's file has taken the place, that one is left alone: it would come to a
 * fight. It is the newer one's that wins, since that started later. */
static bool is_of_another_version(const struct countfile *file)
{
    struct head head;
    int descriptor = open_file(file->place.path, O_RDONLY);
    bool is = descriptor >= 0 && read_at(descriptor, &head, sizeof(head), 0) &&
              memcmp(head.magic, magic, sizeof(magic)) == 0 &&
              head.checksum == checksum_of(head.layout, &head.counts, 1) &&
              (head.layout != file->place.layout || head.counts != file->place.counts);

    if (descriptor >= 0)
        (void)close(descriptor);
    return is;
}

void countfile_keep_up(struct countfile *file, const uint64_t *counts)
{
    int descriptor;

    if ((is_in_place(file) && is_whole(file, file->descriptor)) || is_of_another_version(file))
        return;
    descriptor = open_or_make(file, NULL);
    if (descriptor < 0)
        return;
    (void)close(file->descriptor);
    file->descriptor = descriptor;
    file->slot = NO_SLOT;
    (void)countfile_write(file, counts);
}

bool countfile_read(struct countfile *file, countfile_visit *visit, void *context)
{
    if (!is_whole(file, file->descriptor))
        return false;
    for (int slot = 0; slot < COUNTFILE_SLOTS; slot++)
        if (read_slot(file, slot))
            visit(context, file->entry.counts, is_alive(file, slot));
    return true;
}
