/*
 * A program by CGI, one process after the other: from its start to its end, with its answer read
 * and looked at in between. Prints one JSON object: how long each took, sorted, and the CPU of all.
 * usage: spawn_cgi TOKENS USERS TIMES PROGRAM [ARGUMENT]...
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"

extern char **environ;

enum { LINE_MAX_BYTES = 4096, ANSWER_MAX_BYTES = 128 * 1024, ID_LEN = 36 };

/* What a web server puts there for GET /me; the rest of the environment is handed down. */
static const char *const cgi_environment[][2] = {
    {"GATEWAY_INTERFACE", "CGI/1.1"}, {"SERVER_PROTOCOL", "HTTP/1.1"}, {"REQUEST_METHOD", "GET"},
    {"SCRIPT_NAME", "/me"},           {"REQUEST_URI", "/me"},          {"QUERY_STRING", ""},
    {"SERVER_NAME", "127.0.0.1"},     {"SERVER_PORT", "80"},           {"REMOTE_ADDR", "127.0.0.1"},
    {"REDIRECT_STATUS", "200"}, /* php-cgi serves nothing without it */
};

static void die(const char *what)
{
    (void)fprintf(stderr, "spawn_cgi: %s\n", what);
    exit(1);
}

static void set(const char *name, const char *value)
{
    if (setenv(name, value, 1) != 0)
        die("out of memory");
}

static size_t read_all(int fd, char *out)
{
    size_t len = 0;
    ssize_t more;

    while (len < ANSWER_MAX_BYTES && (more = read(fd, out + len, ANSWER_MAX_BYTES - len)) > 0)
        len += (size_t)more;
    return len;
}

/* A CGI program need not say its status where that is 200. */
static void check(struct str answer, const char *id)
{
    char start[8 + ID_LEN];

    (void)snprintf(start, sizeof(start), "{\"id\":\"%.*s", ID_LEN, id);
    if (memmem(answer.data, answer.len, start, strlen(start)) == NULL ||
        (memmem(answer.data, answer.len, "Status: ", 8) != NULL &&
         memmem(answer.data, answer.len, "Status: 200", 11) == NULL)) {
        (void)fwrite(answer.data, 1, answer.len, stderr);
        die("the answer is not that user's");
    }
}

static double run_once(char **command, const char *id)
{
    static char answer[ANSWER_MAX_BYTES];
    posix_spawn_file_actions_t actions;
    int pipes[2], status;
    int64_t start_us = clock_monotonic_us();
    pid_t child;
    size_t len;

    if (pipe2(pipes, O_CLOEXEC) != 0 || posix_spawn_file_actions_init(&actions) != 0 ||
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0) != 0 ||
        posix_spawn_file_actions_adddup2(&actions, pipes[1], STDOUT_FILENO) != 0 ||
        posix_spawn(&child, command[0], &actions, NULL, command, environ) != 0)
        die(command[0]);
    (void)close(pipes[1]);
    len = read_all(pipes[0], answer);
    if (waitpid(child, &status, 0) != child || status != 0)
        die("the program failed");
    int64_t end_us = clock_monotonic_us();
    (void)close(pipes[0]);
    (void)posix_spawn_file_actions_destroy(&actions);
    check((struct str){answer, len}, id);
    return (double)(end_us - start_us);
}

static double cpu_us_of_children(void)
{
    struct rusage usage;

    if (getrusage(RUSAGE_CHILDREN, &usage) != 0)
        die("getrusage");
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static int compare(const void *a, const void *b)
{
    const double *left = a, *right = b;

    return (*left > *right) - (*left < *right);
}

static void print(double *times_us, size_t count)
{
    qsort(times_us, count, sizeof(*times_us), compare);
    (void)printf("{\"cpu_us\":%.1f,\"times_us\":[", cpu_us_of_children() / (double)count);
    for (size_t i = 0; i < count; i++)
        (void)printf("%s%.0f", i == 0 ? "" : ",", times_us[i]);
    (void)printf("]}\n");
}

/* The next line of the file, from its start again behind its last. */
static void next_user(FILE *tokens, size_t number, size_t users, char line[LINE_MAX_BYTES])
{
    char bearer[LINE_MAX_BYTES + 8];

    if (number % users == 0)
        rewind(tokens);
    if (fgets(line, LINE_MAX_BYTES, tokens) == NULL || strlen(line) <= ID_LEN)
        die("the file of tokens is too short");
    line[strcspn(line, "\n")] = '\0';
    (void)snprintf(bearer, sizeof(bearer), "Bearer %s", line + ID_LEN + 1);
    set("HTTP_AUTHORIZATION", bearer);
}

int main(int argc, char **argv)
{
    char line[LINE_MAX_BYTES];
    size_t users, count;
    double *times_us;
    FILE *tokens;

    if (argc < 5)
        die("TOKENS USERS TIMES PROGRAM [ARGUMENT]...");
    tokens = fopen(argv[1], "re");
    users = strtoul(argv[2], NULL, 10);
    count = strtoul(argv[3], NULL, 10);
    times_us = calloc(count, sizeof(*times_us));
    if (tokens == NULL || users == 0 || count == 0 || times_us == NULL)
        die("the tokens cannot be read");
    for (size_t i = 0; i < sizeof(cgi_environment) / sizeof(cgi_environment[0]); i++)
        set(cgi_environment[i][0], cgi_environment[i][1]);
    for (size_t i = 0; i < count; i++) {
        next_user(tokens, i, users, line);
        times_us[i] = run_once(argv + 4, line);
    }
    print(times_us, count);
    free(times_us);
    (void)fclose(tokens);
    return fflush(stdout) == 0 ? 0 : 1;
}
