#include "folder.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

enum { OPEN_FOLDERS_MAX = 8 };

char *folder_new(void)
{
    char template[] = "/tmp/me-unit.XXXXXX";
    char *folder = realpath(mkdtemp(template), NULL);

    assert_non_null(folder);
    return folder;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *place)
{
    (void)info;
    (void)type;
    (void)place;
    return remove(path);
}

void folder_remove(char *folder)
{
    if (folder == NULL)
        return;
    assert_int_equal(nftw(folder, remove_entry, OPEN_FOLDERS_MAX, FTW_DEPTH | FTW_PHYS), 0);
    free(folder);
}

char *folder_path(const char *folder, const char *name, char path[FOLDER_PATH_BYTES])
{
    int len = snprintf(path, FOLDER_PATH_BYTES, "%s/%s", folder, name);

    assert_in_range(len, 1, FOLDER_PATH_BYTES - 1);
    return path;
}

char *folder_long_path(const char *folder, const char *name, size_t len)
{
    char *path = malloc(len + 1);
    size_t used = strlen(folder), rest = strlen(name);

    assert_non_null(path);
    assert_in_range(used + rest, 1, len - 1);
    memcpy(path, folder, used);
    for (size_t i = used; i < len - rest; i++)
        path[i] = i % 2 == used % 2 && i + 1 < len - rest ? '/' : '.';
    path[len - rest - 1] = '/';
    memcpy(path + len - rest, name, rest + 1);
    return path;
}

void folder_add(const char *folder, const char *name, struct str bytes, mode_t mode)
{
    char path[FOLDER_PATH_BYTES];
    int descriptor;

    /* Whatever mode the one that is there has. */
    (void)unlink(folder_path(folder, name, path));
    descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, bytes.data, bytes.len), bytes.len);
    assert_int_equal(fchmod(descriptor, mode), 0);
    assert_int_equal(close(descriptor), 0);
}
