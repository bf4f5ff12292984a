#include "mectl/faultreport.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "mectl/invocation.h"

bool faultreport_open(const char *path, const char *input, struct progress *progress,
                      struct faultreport *out, struct err *err)
{
    int file;

    *out =
        (struct faultreport){.input = input, .path = path, .stream = stderr, .progress = progress};
    if (path == NULL)
        return true;
    file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY | O_CLOEXEC, 0600);
    out->stream = file < 0 ? NULL : fdopen(file, "w");
    if (out->stream != NULL)
        return true;
    err_set(err, "%s: %s", path, strerror(errno));
    if (file >= 0)
        (void)close(file);
    return false;
}

void faultreport_add(struct faultreport *report, size_t line, struct str where, const char *why)
{
    if (report->stream == stderr)
        progress_hide(report->progress);
    invocation_show(str_from(report->input), report->stream);
    (void)fprintf(report->stream, ":%zu: ", line);
    invocation_show(where, report->stream);
    (void)fprintf(report->stream, "%s", where.len > 0 ? ": " : "");
    invocation_show(str_from(why), report->stream);
    (void)fputc('\n', report->stream);
}

void faultreport_add_all(struct faultreport *report, size_t line, const struct record_fault *faults)
{
    for (; faults != NULL; faults = faults->next)
        faultreport_add(report, line, faults->where, faults->why);
}

bool faultreport_close(struct faultreport *report, struct err *err)
{
    bool good = fflush(report->stream) == 0 && ferror(report->stream) == 0;

    if (report->path == NULL)
        return true; /* there is no other place to tell it */
    good &= fclose(report->stream) == 0;
    if (!good)
        err_set(err, "%s: cannot be written", report->path);
    return good;
}
