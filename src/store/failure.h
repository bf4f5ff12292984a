/*
 * What an error of the server or of the client library means for the program: one table from error
 * numbers to results, with what to do about them.
 */
#ifndef ME_STORE_FAILURE_H
#define ME_STORE_FAILURE_H

#include <stdbool.h>

#include "store/database.h"

struct failure {
    unsigned int number;
    enum store_result result;
    bool is_broken;     /* the connection is of no more use: close it */
    bool is_elsewhere;  /* this server cannot serve now and did nothing; another might serve */
    bool is_crowded;    /* of connecting: there are too many, and soon there may be fewer */
    bool is_ambiguous;  /* in answer to a COMMIT or write: whether it was done is not told */
    bool quotes_value;  /* its message has a part of a value in it, which is none of the log's */
    const char *advice; /* NULL, or a sentence's end for people: "run mectl migrate" */
};

/* The number of a call that failed. The client library has none where it gets no memory in the middle
 * of an answer: that is CR_UNKNOWN_ERROR then, for a connection of which nobody knows how far it got. */
unsigned int failure_number(unsigned int number);

/* Never NULL: numbers that are not in the table have a row by their range. */
const struct failure *failure_of(unsigned int number);

/* Whether the account has not the right on a table or column that a statement takes. */
bool failure_is_denied(unsigned int number);

/* Whether a table or column is not there that a statement takes. */
bool failure_is_of_schema(unsigned int number);

/* Writes "what: message (number): advice" to `err` and returns the result. */
enum store_result failure_report(unsigned int number, const char *what, const char *message,
                                 struct err *err);

#endif
