#include "zoneinfo.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

enum { PATH_BYTES = 512, OPEN_FOLDERS_MAX = 8 };

static void join(const char *zoneinfo, const char *name, char path[PATH_BYTES])
{
    int len = snprintf(path, PATH_BYTES, "%s/%s", zoneinfo, name);

    assert_in_range(len, 1, PATH_BYTES - 1);
}

static void make_folders_above(const char *zoneinfo, const char *name)
{
    for (const char *slash = strchr(name, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        char path[PATH_BYTES];

        join(zoneinfo, name, path);
        path[strlen(zoneinfo) + 1 + (size_t)(slash - name)] = '\0';
        assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
    }
}

static void add_file(const char *zoneinfo, const char *name, const char *text)
{
    char path[PATH_BYTES];
    FILE *file;

    make_folders_above(zoneinfo, name);
    join(zoneinfo, name, path);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void add_link(const char *zoneinfo, const char *name, const char *target)
{
    char path[PATH_BYTES];

    join(zoneinfo, name, path);
    assert_int_equal(symlink(target, path), 0);
}

void zoneinfo_add_zone(const char *zoneinfo, const char *name)
{
    add_file(zoneinfo, name, "TZif2 and what follows");
}

char *zoneinfo_new(void)
{
    static const char *const zones[] = {
        "UTC",
        "Europe/Berlin",
        "America/Argentina/Buenos_Aires",
        "America/Port-au-Prince",
        "Etc/GMT+1",
        "Etc/GMT-14",
        "EST5EDT",
        "Asia/Kolkata",
        "Atlantis/Poseidonis",
        "europe/london",
        "posix/UTC",
        "posix/Atlantis/Poseidonis",
        "right/UTC",
        "posixrules",
        "localtime",
        "zone.tab",
    };
    static const char *const others[][2] = {
        {"leapseconds", "# a table\n"}, {"Empty", ""}, {"Short", "TZi"}, {"Almost", "TZiF2"}};
    static const char *const links[][2] = {{"Atlantis/Old_Name", "Poseidonis"},
                                           {"Dangling", "Nowhere"},
                                           {"Loop", "Loop"},
                                           {"ToFolder", "Europe"}};
    char *path = strdup("/tmp/me-zoneinfo.XXXXXX");
    char pipe_path[PATH_BYTES];

    assert_non_null(path);
    assert_non_null(mkdtemp(path));
    for (size_t i = 0; i < ARRAY_LENGTH(zones); i++)
        zoneinfo_add_zone(path, zones[i]);
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
        add_file(path, others[i][0], others[i][1]);
    for (size_t i = 0; i < ARRAY_LENGTH(links); i++)
        add_link(path, links[i][0], links[i][1]);
    join(path, "Pipe", pipe_path);
    assert_int_equal(mkfifo(pipe_path, 0600), 0);
    return path;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *place)
{
    (void)info;
    (void)type;
    (void)place;
    return remove(path);
}

void zoneinfo_remove(char *path)
{
    if (path == NULL)
        return;
    assert_int_equal(nftw(path, remove_entry, OPEN_FOLDERS_MAX, FTW_DEPTH | FTW_PHYS), 0);
    free(path);
}
