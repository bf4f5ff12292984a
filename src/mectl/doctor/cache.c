#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "api/keptplace.h"
#include "mectl/doctor/inside.h"

/* What is there has to be a file of the workers' alone; whose, they see themselves. */
static bool check_file(const struct stat *info, struct err *err)
{
    if (!S_ISREG(info->st_mode))
        err_set(err, "is no file");
    else if ((info->st_mode & (S_IRWXG | S_IRWXO)) != 0)
        err_set(err, "can be opened by others, so workers leave it alone: take it away");
    else
        return true;
    return false;
}

/* What is there of it already may be the workers' own, so that is not asked. */
static bool check_folder(const char *folder, int64_t size_bytes, struct err *err)
{
    struct statvfs info;

    if (statvfs(folder, &info) != 0)
        err_set(err, "its folder %s is not there", folder);
    else if ((int64_t)(info.f_blocks * info.f_frsize) < size_bytes)
        err_set(err, "the file system of %s is smaller than cache.size_mib, %lld MiB", folder,
                (long long)(size_bytes / (INT64_C(1024) * 1024)));
    else
        return true;
    return false;
}

static bool check_place(struct keptplace *keptplace, struct err *err)
{
    struct stat info;
    char path[PATH_MAX];

    (void)snprintf(path, sizeof(path), "%s", keptplace->path); /* dirname changes it */
    if (lstat(keptplace->path, &info) == 0
            ? check_file(&info, err)
            : check_folder(dirname(path), keptplace->place.size_bytes, err))
        return true;
    err_prefix(err, "%s", keptplace->path);
    return false;
}

void doctor_cache(struct report *report)
{
    const struct settings *settings = &report->invocation->settings;
    struct digest *digest = digest_new();
    struct keptplace keptplace;
    struct err err = {"out of memory"};

    if (settings->cache.mode == SETTINGS_CACHE_OFF)
        report_good(report, "cache", "off: each profile is read anew");
    else if (digest != NULL && keptplace_choose(settings, digest, &keptplace, &err) &&
             check_place(&keptplace, &err))
        report_good(report, "cache", "up to %lld MiB of profiles are kept",
                    (long long)settings->cache.size_mib);
    else
        report_finding(report, FINDING_CACHE_UNUSABLE, NULL, "%s", err.text);
    digest_free(digest);
}
