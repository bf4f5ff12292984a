/*
 * Tokens of many users, quickly. Reads lines of an id, a blank and the id of a session; prints
 * lines of that id, a blank and a token for it that is good until the time that is given. Several
 * run side by side where there are several processors: each takes every COUNT-th line.
 * usage: mint_tokens KEY-FILE ISSUER AUDIENCE EXPIRES-AT NUMBER COUNT <lines >tokens
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "token/keyset.h"
#include "token/signer.h"

enum { KEY_FILE_MAX_BYTES = 64 * 1024, TOKEN_MAX_BYTES = 8192, LINE_MAX_BYTES = 512 };

static void die(const char *what)
{
    (void)fprintf(stderr, "mint_tokens: %s\n", what);
    exit(1);
}

static struct signer *read_key(const char *path)
{
    struct err err = {""};
    struct buf text;
    struct signer *signer;

    buf_init(&text, KEY_FILE_MAX_BYTES);
    if (!file_read(path, FILE_READERS_OWN_GROUP, &text, &err))
        die(err.text);
    signer = str_starts_with(buf_str(&text), STR("-----BEGIN "))
                 ? signer_from_pem(buf_str(&text), &err)
                 : signer_from_secret(keyset_secret_of_file(buf_str(&text)), &err);
    if (signer == NULL)
        die(err.text);
    buf_free_secret(&text);
    return signer;
}

/* Such claims as a login system puts into an access token. */
static void mint(struct signer *signer, char *const *rule, struct str id, struct str session)
{
    struct buf payload, token;

    buf_init(&payload, TOKEN_MAX_BYTES);
    buf_init(&token, TOKEN_MAX_BYTES);
    buf_append_format(&payload,
                      "{\"exp\":%s,\"iat\":1700000000,\"jti\":\"%.*s\",\"iss\":\"%s\","
                      "\"aud\":[\"%s\",\"account\"],\"sub\":\"%.*s\",\"typ\":\"Bearer\","
                      "\"azp\":\"web\",\"sid\":\"%.*s\",\"scope\":\"openid email profile\"}",
                      rule[2], STR_ARGS(id), rule[0], rule[1], STR_ARGS(id), STR_ARGS(session));
    if (!buf_is_good(&payload) || !signer_mint(signer, STR_NONE, buf_str(&payload), &token))
        die("a token cannot be made");
    (void)printf("%.*s %.*s\n", STR_ARGS(id), STR_ARGS(buf_str(&token)));
    buf_free(&payload);
    buf_free(&token);
}

int main(int argc, char **argv)
{
    char line[LINE_MAX_BYTES];
    unsigned long number, count;
    struct signer *signer;

    if (argc != 7)
        die("KEY-FILE ISSUER AUDIENCE EXPIRES-AT NUMBER COUNT");
    number = strtoul(argv[5], NULL, 10);
    count = strtoul(argv[6], NULL, 10);
    signer = read_key(argv[1]);
    for (unsigned long i = 0; fgets(line, sizeof(line), stdin) != NULL; i++) {
        struct str session = {line, strcspn(line, "\n")}, id = str_cut(&session, ' ');
        if (i % count == number)
            mint(signer, argv + 2, id, session);
    }
    signer_free(signer);
    return fflush(stdout) == 0 ? 0 : 1;
}
