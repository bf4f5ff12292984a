#include "process/countfile.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sharedfile.h"

enum { HEAD_BYTES = 4096, NO_SLOT = -1, READ_TRIES_MAX = 4 };

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

static bool is_good(void *context, int descriptor)
{
    return is_whole(context, descriptor);
}

static bool fill(void *context, int descriptor)
{
    const struct countfile *file = context;
    const struct head head = head_of(file);

    return ftruncate(descriptor, file_bytes(file)) == 0 &&
           write_at(descriptor, &head, sizeof(head), 0);
}

static struct sharedfile shared_of(struct countfile *file)
{
    return (struct sharedfile){
        .path = file->place.path,
        .setting = "watch.metrics_file",
        .mode = S_IRUSR | S_IWUSR | S_IRGRP,
        .forbidden = S_IWGRP | S_IWOTH,
        .is_good = is_good,
        .fill = fill,
        .context = file,
    };
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
    struct sharedfile shared;

    if (file == NULL)
        return NULL;
    shared = shared_of(file);
    file->descriptor = sharedfile_open(&shared, err);
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
    struct sharedfile shared;

    if (file == NULL)
        return NULL;
    shared = shared_of(file);
    file->descriptor = sharedfile_open_to_read(&shared, err);
    if (file->descriptor >= 0) {
        if (is_whole(file, file->descriptor))
            return file;
        err_set(err, "%s: was damaged, or is of another version of this program", place->path);
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

/* Where another version's file has taken the place, that one is left alone: it would come to a
 * fight. It is the newer one's that wins, since that started later. */
static bool is_of_another_version(struct countfile *file)
{
    const struct sharedfile shared = shared_of(file);
    struct head head;
    int descriptor = sharedfile_open_to_read(&shared, NULL);
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
    const struct sharedfile shared = shared_of(file);
    int descriptor;

    if ((sharedfile_is_in_place(shared.path, file->descriptor) &&
         is_whole(file, file->descriptor)) ||
        is_of_another_version(file))
        return;
    descriptor = sharedfile_open(&shared, NULL);
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
