#include "api/fingerprint.h"
#include "base/clock.h"
#include "format/endpoint.h"
#include "mectl/doctor/inside.h"
#include "mectl/doctor/probe.h"

enum { FINGERPRINTS = 4 /* several workers may answer, each of its own version */ };

/* ---- without a token: who answers at all */

/* Without the port, and an address without its brackets. */
static struct str host_of(struct str authority)
{
    struct str host = authority;

    if (!str_starts_with(host, STR("[")))
        return str_cut(&host, ':');
    (void)str_cut(&host, '[');
    return str_cut(&host, ']');
}

void probe_tls(struct probe *probe)
{
    struct str rest = str_from(probe->outside->url), scheme = str_cut(&rest, ':');
    struct str host;

    (void)str_cut(&rest, '/');
    (void)str_cut(&rest, '/');
    host = host_of(str_cut(&rest, '/'));
    if (str_equal_nocase(scheme, STR("https")))
        report_good(probe->report, "tls", "the certificate is verified");
    else if (endpoint_is_loopback(host))
        report_note(probe->report, "tls", "there is none, on this machine alone");
    else
        report_finding(probe->report, FINDING_TLS_MISSING, NULL, "%s", probe->outside->url);
}

static bool is_redirect(const struct http_answer *answer)
{
    return answer->status >= 300 && answer->status < 400 && answer->status != 304;
}

static void find_redirect(const struct probe *probe, const struct http_answer *answer)
{
    struct err place;

    err_set(&place, "%.*s", STR_ARGS(http_answer_header(answer, "Location")));
    report_finding(probe->report, FINDING_URL_REDIRECTS, place.text, "%lld to %s",
                   (long long)answer->status, place.text);
}

static void judge_anonymous(struct probe *probe, const struct http_answer *answer)
{
    const struct answer_judgement judgement = answer_judge(answer);
    enum finding finding;

    if (is_redirect(answer)) {
        find_redirect(probe, answer);
    } else if (judgement.kind == ANSWER_PROFILE) {
        report_finding(probe->report, FINDING_CACHE_SHARED, NULL, "to a request without a token");
    } else if (judgement.kind == ANSWER_PROBLEM) {
        probe_find_status(probe, &judgement, answer);
        probe->is_reached = !probe_find_general_failure(probe, judgement.problem, answer);
    } else {
        finding = probe_finding_of_foreign(answer);
        probe_find_as_described(probe, finding, answer);
        probe->is_reached = finding == FINDING_ERRORS_REPLACED;
    }
}

static void judge_transport(struct probe *probe, enum http_result result, const struct err *err)
{
    bool is_untrusted = result == HTTP_UNTRUSTED || result == HTTP_BAD_CA;

    report_finding(probe->report, is_untrusted ? FINDING_URL_UNTRUSTED : FINDING_URL_UNREACHED,
                   NULL, "%s: %s", probe->outside->url, err->text);
}

void probe_anonymously(struct probe *probe)
{
    const struct question question = {.method = NULL};
    struct http_answer answer;
    struct err err = {""};
    enum http_result result = probe_ask(probe, &question, &answer, &err);

    if (result != HTTP_ANSWERED) {
        judge_transport(probe, result, &err);
    } else {
        probe->has_answer = true;
        if (!probe->outside->server_is_told)
            probe->report->server = finding_server_of(http_answer_header(&answer, "Server"));
        judge_anonymous(probe, &answer);
    }
    http_answer_free(&answer);
}

/* ---- which worker */

struct differences {
    struct buf names;
};

static void add_difference(void *context, struct str setting)
{
    struct differences *differences = context;

    buf_append_format(&differences->names, "%s%.*s", differences->names.len > 0 ? ", " : "",
                      STR_ARGS(setting));
}

static void find_other_settings(const struct probe *probe, struct fingerprint *fingerprint,
                                struct str ours, struct str theirs)
{
    struct differences differences;
    struct buf pids;
    const char *on;

    buf_init(&differences.names, PROBE_TEXT_MAX_BYTES);
    buf_init(&pids, PROBE_TEXT_MAX_BYTES);
    on = doctor_worker_pids(probe->report, &pids) ? pids.data : NULL;
    if (!str_is_set(theirs))
        report_finding(probe->report, FINDING_WORKER_DIFFERS, on,
                       "it does not know doctor.secret_file");
    else if (!fingerprint_compare(fingerprint, ours, theirs, add_difference, &differences))
        report_finding(probe->report, FINDING_WORKER_DIFFERS, on,
                       "it is of version %.*s, and mectl of %.*s",
                       STR_ARGS(fingerprint_version(theirs)), STR_ARGS(fingerprint_version(ours)));
    else
        report_finding(probe->report, FINDING_WORKER_DIFFERS, on, "other settings: %.*s",
                       STR_ARGS(buf_str(&differences.names)));
    buf_free(&differences.names);
    buf_free(&pids);
}

/* True where the worker that answers is what the files say, or does not show. */
static bool compare_answer(struct probe *probe, struct fingerprint *fingerprint,
                           struct str question, const struct http_answer *answer)
{
    struct str theirs = http_answer_header(answer, FINGERPRINT_HEADER);
    struct buf ours;
    bool is_same;

    if (!str_is_set(http_answer_header(answer, "Accept-Patch")))
        return true;
    buf_init(&ours, FINGERPRINT_ANSWER_MAX_BYTES);
    if (!fingerprint_answer(fingerprint, question, clock_now_ms(), &ours))
        buf_reset(&ours);
    is_same = str_equal(buf_str(&ours), theirs);
    if (!is_same)
        find_other_settings(probe, fingerprint, buf_str(&ours), theirs);
    buf_free(&ours);
    return is_same;
}

/* OPTIONS, whose answer no cache keeps, and no error page replaces. */
static bool compare_by(struct probe *probe, struct fingerprint *fingerprint, const char *text)
{
    const struct question question = {.method = "OPTIONS", .more = {{FINGERPRINT_HEADER, text}}};
    struct http_answer answer;
    bool is_same = probe_ask_again(probe, &question, &answer) &&
                   compare_answer(probe, fingerprint, str_from(text), &answer);

    http_answer_free(&answer);
    return is_same;
}

static bool compare_once(struct probe *probe, struct fingerprint *fingerprint)
{
    struct buf text;
    bool is_same = false;

    buf_init(&text, FINGERPRINT_QUESTION_MAX_BYTES);
    if (fingerprint_ask(fingerprint, clock_now_ms(), &text)) {
        buf_append_byte(&text, '\0');
        is_same = buf_is_good(&text) && compare_by(probe, fingerprint, text.data);
    }
    buf_free(&text);
    return is_same;
}

void probe_worker(struct probe *probe)
{
    const struct settings *settings = &probe->report->invocation->settings;
    struct fingerprint *fingerprint;
    struct err err = {""};
    bool is_same = true;

    if (settings->doctor.secret_file == NULL) {
        report_note(probe->report, "worker",
                    "whether it has this host's version and settings is "
                    "told to whoever sets doctor.secret_file");
        return;
    }
    fingerprint = fingerprint_new(settings, file_readers_of_operator(), &err);
    if (fingerprint == NULL) {
        report_finding(probe->report, FINDING_KEY_UNUSABLE, settings->doctor.secret_file, "%s",
                       err.text);
        return;
    }
    for (int i = 0; i < FINGERPRINTS && is_same; i++)
        is_same = compare_once(probe, fingerprint);
    if (is_same)
        report_good(probe->report, "worker", "has this host's version and settings");
    fingerprint_free(fingerprint);
}
