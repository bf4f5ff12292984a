/*
 * Does the time of a verification tell how much of a forged HMAC is right? Verifies HMACs that are
 * wrong in their first byte and others wrong in their last, in random order, and prints Welch's t of
 * the two times, once for hmac_verify and once for the same with a comparison that stops at the
 * first difference. An attacker who hears more than noise has |t| over 4.5 or so.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/random.h"
#include "token/hmac.h"

enum { SAMPLES = 100000, KEPT_PERCENT = 80 };
enum place { FIRST, LAST, PLACE__MAX };

/* Nanoseconds, sorted in the end. */
struct samples {
    size_t count;
    int64_t ns[SAMPLES];
};

static struct samples samples[PLACE__MAX];

typedef enum jwt_verdict verification(struct hmac *hmac, struct str input, struct str signature);

/* As the C standard describes memcmp. That of glibc compares 32 bytes at once on most machines, and
 * tells nothing there. */
static enum jwt_verdict verify_until_difference(struct hmac *hmac, struct str input,
                                                struct str signature)
{
    unsigned char expected[HMAC_BYTES];
    const volatile unsigned char *one = expected;
    size_t same = 0;

    if (!hmac_of(hmac, input, expected))
        return JWT_OUT_OF_MEMORY;
    while (same < HMAC_BYTES && one[same] == (unsigned char)signature.data[same])
        same++;
    return same == HMAC_BYTES ? JWT_VALID : JWT_BAD_SIGNATURE;
}

static void die(const char *what)
{
    (void)fprintf(stderr, "timing: %s\n", what);
    exit(1);
}

static int64_t now_ns(void)
{
    struct timespec now;

    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
        die("there is no clock");
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* One buffer for both, and the same work to make either: only where it is wrong may differ. */
static void measure_once(verification *verify, struct hmac *hmac, struct str input,
                         const unsigned char right[HMAC_BYTES], enum place place)
{
    struct samples *into = &samples[place];
    char wrong[HMAC_BYTES];
    int64_t start_ns;

    memcpy(wrong, right, HMAC_BYTES);
    wrong[0] = (char)(wrong[0] ^ (place == FIRST));
    wrong[HMAC_BYTES - 1] = (char)(wrong[HMAC_BYTES - 1] ^ (place == LAST));
    start_ns = now_ns();
    if (verify(hmac, input, (struct str){wrong, HMAC_BYTES}) != JWT_BAD_SIGNATURE)
        die("a wrong HMAC was taken");
    into->ns[into->count++] = now_ns() - start_ns;
}

static void measure(verification *verify, struct hmac *hmac)
{
    const struct str input = STR("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ");
    unsigned char right[HMAC_BYTES];

    samples[FIRST].count = samples[LAST].count = 0;
    if (!hmac_of(hmac, input, right))
        die("there is no HMAC");
    /* In pairs: whatever the machine does while it lasts, both places have the same of it, up to the end. */
    for (int i = 0; i < SAMPLES; i++) {
        enum place place = random_below(2) == 0 ? FIRST : LAST;

        measure_once(verify, hmac, input, right, place);
        measure_once(verify, hmac, input, right, place == FIRST ? LAST : FIRST);
    }
}

static int compare(const void *one, const void *other)
{
    int64_t a = *(const int64_t *)one, b = *(const int64_t *)other;

    return (a > b) - (a < b);
}

struct moments {
    double mean, variance; /* the variance is that of the mean */
};

/* Of the lower ones: what is above is what else ran on the machine. */
static struct moments moments_of(struct samples *of, int64_t limit_ns)
{
    double sum = 0, squares = 0, count = 0;

    for (size_t i = 0; i < of->count; i++)
        if (of->ns[i] <= limit_ns) {
            sum += (double)of->ns[i];
            squares += (double)of->ns[i] * (double)of->ns[i];
            count++;
        }
    return (struct moments){sum / count, (squares / count - sum / count * (sum / count)) / count};
}

static double welch_t(void)
{
    struct moments first, last;
    int64_t limit_ns;

    for (int i = 0; i < PLACE__MAX; i++)
        qsort(samples[i].ns, samples[i].count, sizeof(int64_t), compare);
    /* One limit for both, or it would hide what it is to show. */
    limit_ns = samples[FIRST].ns[SAMPLES / 100 * KEPT_PERCENT];
    if (limit_ns < samples[LAST].ns[SAMPLES / 100 * KEPT_PERCENT])
        limit_ns = samples[LAST].ns[SAMPLES / 100 * KEPT_PERCENT];
    first = moments_of(&samples[FIRST], limit_ns);
    last = moments_of(&samples[LAST], limit_ns);
    (void)printf("%.2f ns and %.2f ns", first.mean, last.mean);
    return (last.mean - first.mean) / sqrt(first.variance + last.variance);
}

int main(void)
{
    static const struct {
        const char *name;
        verification *verify;
    } cases[] = {{"hmac_verify", hmac_verify}, {"control", verify_until_difference}};
    struct err err = {""};
    struct hmac *hmac = hmac_new(STR("0123456789abcdef0123456789abcdef"), &err);

    if (hmac == NULL)
        die(err.text);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        (void)printf("%s: ", cases[i].name);
        measure(cases[i].verify, hmac);
        (void)printf(": t = %.2f\n", welch_t());
    }
    hmac_free(hmac);
    return fflush(stdout) == 0 ? 0 : 1;
}
