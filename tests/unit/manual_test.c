/* The man page of the worker says of its answers what the tables in the code say. */
#include "api/problem.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "unit.h"

enum { PAGE_MAX_BYTES = 256 * 1024, ITEMS_MAX = 64 };

/* One thing that the page describes: "404 not_found" is one, and so is each code after a comma. */
struct item {
    int64_t status; /* -1: none is given */
    struct str code;
};

struct page {
    struct buf text;
    struct item items[ITEMS_MAX];
    size_t count;
};

static void add(struct page *page, int64_t status, struct str code)
{
    assert_true(page->count < ITEMS_MAX);
    page->items[page->count++] = (struct item){status, code};
}

/* "404 not_found", "400 invalid_json , invalid_body", "Li blank": what comes behind ".It ". The web
 * server's own answers have no code: "413", "502 , 503". */
static void take_item(struct page *page, struct str item)
{
    struct str word = str_cut(&item, ' ');
    int64_t status, other;

    if (str_equal(word, STR("Li")))
        status = -1;
    else if (!str_to_number(word, 599, &status))
        fail_msg("'.It %.*s' begins with neither a status nor Li", STR_ARGS(word));
    while (str_is_set(item)) {
        struct str code = str_cut(&item, ' ');

        if (!str_equal(code, STR(",")) && !str_to_number(code, 599, &other))
            add(page, status, code);
    }
}

/* The items between the line `heading` and the next heading. */
static void take_section(struct page *page, struct str heading)
{
    struct str rest = buf_str(&page->text), line;
    bool is_inside = false;

    while (str_is_set(rest)) {
        line = str_cut(&rest, '\n');
        if (str_starts_with(line, STR(".S")) &&
            (str_starts_with(line, STR(".Sh ")) || str_starts_with(line, STR(".Ss "))))
            is_inside = str_equal(line, heading);
        else if (is_inside && str_starts_with(line, STR(".It ")))
            take_item(page, (struct str){line.data + 4, line.len - 4});
    }
}

static void read_page(struct page *page, struct str heading)
{
    const char *source = getenv("ME_SOURCE");
    char path[4096];
    struct err err = {""};

    *page = (struct page){.count = 0};
    buf_init(&page->text, PAGE_MAX_BYTES);
    (void)snprintf(path, sizeof(path), "%s/cgi-bin/me.fcgi.8", source == NULL ? "." : source);
    if (!file_read(path, FILE_READERS_ANY, &page->text, &err))
        fail_msg("%s", err.text);
    take_section(page, heading);
}

static void assert_item(const struct page *page, size_t i, int64_t status, const char *code)
{
    if (i >= page->count)
        fail_msg("%s is not described", code);
    assert_str_equal(page->items[i].code, code);
    assert_int_equal(page->items[i].status, status);
}

/* The order is part of it: the first that applies is the answer. */
static void describes_every_problem_in_its_order(void **state)
{
    struct page page;

    (void)state;
    read_page(&page, STR(".Sh ANSWERS"));
    for (enum problem problem = PROBLEM_NONE + 1; problem < PROBLEM__MAX; problem++) {
        const struct problem_row *row = problem_row(problem);

        assert_item(&page, (size_t)problem - 1, row->status, row->code);
    }
    assert_int_equal(page.count, PROBLEM__MAX - 1);
    buf_free(&page.text);
}

static size_t count_of(const struct page *page, const char *code)
{
    size_t count = 0;

    for (size_t i = 0; i < page->count; i++)
        count += page->items[i].status == -1 && str_equal(page->items[i].code, str_from(code));
    return count;
}

static void describes_every_violation_once(void **state)
{
    struct page page;

    (void)state;
    read_page(&page, STR(".Ss Violations"));
    for (enum violation violation = VIOLATION_NONE + 1; violation < VIOLATION__MAX; violation++)
        if (count_of(&page, violation_code(violation)) != 1)
            fail_msg("%s is described %zu times", violation_code(violation),
                     count_of(&page, violation_code(violation)));
    assert_int_equal(page.count, VIOLATION__MAX - 1);
    assert_int_equal(problem_row(PROBLEM_VALIDATION_FAILED)->status, 422); /* as the page says */
    buf_free(&page.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(describes_every_problem_in_its_order),
        cmocka_unit_test(describes_every_violation_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
