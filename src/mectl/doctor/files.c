#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "mectl/doctor/inside.h"

enum { FOLDERS_MAX = 64, PATH_MAX_BYTES = 4096 };

/* Folders that were looked at, so that each is reported once; past the last some are twice. */
struct folders {
    struct report *report;
    struct str seen[FOLDERS_MAX];
    size_t count;
};

static bool is_open_to_others(mode_t mode)
{
    return (mode & (S_IWGRP | S_IWOTH)) != 0;
}

static const char *who(mode_t mode)
{
    return (mode & S_IWOTH) != 0 ? "everybody" : "its group";
}

/* What cannot be looked at is told by whoever reads it. */
static void look_at_file(struct report *report, const char *path)
{
    struct stat info;

    if (stat(path, &info) == 0 && is_open_to_others(info.st_mode))
        report_finding(report, FINDING_FILE_WRITABLE, path, "%s: %s can write to it (%04o)", path,
                       who(info.st_mode), (unsigned)info.st_mode & 07777U);
}

/* In a folder with the sticky bit, as /tmp, nobody can put a file into the place of another's. */
static void look_at_folder(struct report *report, const char *path)
{
    struct stat info;

    if (stat(path, &info) == 0 && is_open_to_others(info.st_mode) && (info.st_mode & S_ISVTX) == 0)
        report_finding(report, FINDING_FOLDER_WRITABLE, path, "%s: %s can write to it (%04o)", path,
                       who(info.st_mode), (unsigned)info.st_mode & 07777U);
}

static bool is_new(struct folders *folders, struct str path)
{
    for (size_t i = 0; i < folders->count; i++)
        if (str_equal(folders->seen[i], path))
            return false;
    if (folders->count < FOLDERS_MAX)
        folders->seen[folders->count++] = path;
    return true;
}

static void look_at_folder_of(struct folders *folders, const char *path)
{
    const char *slash = strrchr(path, '/');
    struct str folder = {path, slash == NULL ? 0 : (size_t)(slash - path)};
    struct buf text;

    if (!is_new(folders, folder))
        return;
    buf_init(&text, PATH_MAX_BYTES);
    buf_append_str(&text, slash == NULL ? STR(".") : folder.len == 0 ? STR("/") : folder);
    buf_append_byte(&text, '\0');
    if (buf_is_good(&text))
        look_at_folder(folders->report, text.data);
    buf_free(&text);
}

static void look_at(struct folders *folders, const char *path)
{
    if (path == NULL)
        return;
    look_at_file(folders->report, path);
    look_at_folder_of(folders, path);
}

/* Every file that is named and read; the log is written. */
static void look_at_setting(struct folders *folders, const struct setting *setting)
{
    const struct settings *settings = &folders->report->invocation->settings;
    const void *place = (const char *)settings + setting->offset;
    const struct settings_list *list = place;

    if (setting->type == SETTING_PATH && strcmp(setting->section, "log") != 0)
        look_at(folders, *(const char *const *)place);
    for (size_t i = 0; setting->type == SETTING_PATHS && i < list->count; i++)
        look_at(folders, list->items[i]);
}

void doctor_files(struct report *report)
{
    struct folders folders = {.report = report};

    look_at(&folders, report->invocation->settings.file);
    for (size_t i = 0; i < settings_table_len; i++)
        look_at_setting(&folders, &settings_table[i]);
}
