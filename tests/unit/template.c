#include "template.h"

#include <openssl/evp.h>

#include "base/base64url.h"
#include "base/compiler.h"
#include "testkeys.h"
#include "unit.h"

enum { BYTES_MAX = 64 * 1024 };

static const struct str other_secret = STR("another secret of at least 32 bytes");

/* ---- keys */

static void decode_secret(struct buf *out)
{
    assert_true(base64url_decode(STR(TESTKEYS_SECRET), out));
}

static void append_other_secret(struct buf *out)
{
    buf_append_str(out, other_secret);
}

static void append_nothing(struct buf *out)
{
    (void)out;
}

/* What a forger knows of the RSA key, each of it as the secret of an HMAC. */

static void append_pem(struct buf *out)
{
    EVP_PKEY *pair = testkeys_pair("rfc7515");

    testkeys_pem(pair, TESTKEYS_SPKI, out);
    EVP_PKEY_free(pair);
}

static void append_der(struct buf *out)
{
    EVP_PKEY *pair = testkeys_pair("rfc7515");

    testkeys_der(pair, out);
    EVP_PKEY_free(pair);
}

static void append_modulus(struct buf *out)
{
    EVP_PKEY *pair = testkeys_pair("rfc7515");

    testkeys_number(pair, out);
    EVP_PKEY_free(pair);
}

static void append_modulus_text(struct buf *out)
{
    struct buf modulus;

    buf_init(&modulus, BYTES_MAX);
    append_modulus(&modulus);
    base64url_encode(buf_str(&modulus), out);
    buf_free(&modulus);
}

static const struct signing_key {
    struct str name;
    void (*append_secret)(struct buf *out); /* NULL: it is a pair */
    const char *pair;
} signing_keys[] = {
    {STR("secret"), decode_secret, NULL},  {STR("other-secret"), append_other_secret, NULL},
    {STR("empty"), append_nothing, NULL},  {STR("pem"), append_pem, NULL},
    {STR("der"), append_der, NULL},        {STR("modulus"), append_modulus, NULL},
    {STR("n"), append_modulus_text, NULL}, {STR("rsa"), NULL, "rfc7515"},
    {STR("other-rsa"), NULL, "rfc7520"},
};

static void sign_with(const struct signing_key *key, struct str input, struct buf *out)
{
    struct buf secret;
    EVP_PKEY *pair;

    if (key->append_secret == NULL) {
        pair = testkeys_pair(key->pair);
        testkeys_sign(pair, input, out);
        EVP_PKEY_free(pair);
        return;
    }
    buf_init(&secret, BYTES_MAX);
    key->append_secret(&secret);
    testkeys_hmac(buf_str(&secret), input, out);
    buf_free(&secret);
}

static void sign(struct str name, struct str input, struct buf *out)
{
    for (size_t i = 0; i < ARRAY_LENGTH(signing_keys); i++)
        if (str_equal(name, signing_keys[i].name)) {
            sign_with(&signing_keys[i], input, out);
            return;
        }
    fail_msg("there is no key '%.*s'", STR_ARGS(name));
}

/* ---- changes of a signature */

static void cut_last(struct buf *bytes)
{
    bytes->len--;
}

static void add_zero(struct buf *bytes)
{
    buf_append_byte(bytes, '\0');
}

static void put_zero_before(struct buf *bytes)
{
    assert_non_null(buf_reserve(bytes, 1));
    memmove(bytes->data + 1, bytes->data, bytes->len);
    bytes->data[0] = '\0';
    buf_added(bytes, 1);
}

static void flip_first_bit(struct buf *bytes)
{
    bytes->data[0] = (char)(bytes->data[0] ^ 0x80);
}

static void flip_last_bit(struct buf *bytes)
{
    bytes->data[bytes->len - 1] = (char)(bytes->data[bytes->len - 1] ^ 1);
}

static void double_it(struct buf *bytes)
{
    assert_non_null(buf_reserve(bytes, bytes->len));
    memcpy(bytes->data + bytes->len, bytes->data, bytes->len);
    buf_added(bytes, bytes->len);
}

static void set_all_bits(struct buf *bytes)
{
    memset(bytes->data, 0xFF, bytes->len);
}

static void clear_all_bits(struct buf *bytes)
{
    memset(bytes->data, 0, bytes->len);
}

static void change_nothing(struct buf *bytes)
{
    (void)bytes;
}

static const struct change {
    struct str name;
    void (*apply)(struct buf *bytes);
} changes[] = {
    {STR(""), change_nothing},          {STR("cut"), cut_last},
    {STR("zero-behind"), add_zero},     {STR("zero-before"), put_zero_before},
    {STR("first-bit"), flip_first_bit}, {STR("last-bit"), flip_last_bit},
    {STR("twice"), double_it},          {STR("ones"), set_all_bits},
    {STR("zeros"), clear_all_bits},
};

static void change(struct str name, struct buf *bytes)
{
    for (size_t i = 0; i < ARRAY_LENGTH(changes); i++)
        if (str_equal(name, changes[i].name)) {
            changes[i].apply(bytes);
            return;
        }
    fail_msg("there is no change '%.*s'", STR_ARGS(name));
}

/* The last character with the one bit set that no byte takes. */
static void set_spare_bit(struct buf *text)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    char *last = &text->data[text->len - 1];

    *last = alphabet[(strchr(alphabet, *last) - alphabet) | 1];
}

/* ---- values */

static void append_k(struct buf *out, unsigned number)
{
    (void)number;
    decode_secret(out);
}

static void append_n(struct buf *out, unsigned number)
{
    (void)number;
    append_modulus(out);
}

static void append_other_n(struct buf *out, unsigned number)
{
    EVP_PKEY *pair = testkeys_pair("rfc7520");

    (void)number;
    testkeys_number(pair, out);
    EVP_PKEY_free(pair);
}

static void append_other_k(struct buf *out, unsigned number)
{
    (void)number;
    append_other_secret(out);
}

static void append_zero_n(struct buf *out, unsigned number)
{
    for (unsigned i = 0; i < number; i++)
        buf_append_byte(out, '\0');
    append_modulus(out);
}

static void append_odd(struct buf *out, unsigned bits)
{
    testkeys_modulus(bits, true, out);
}

static void append_even(struct buf *out, unsigned bits)
{
    testkeys_modulus(bits, false, out);
}

static void append_bytes(struct buf *out, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        buf_append_byte(out, 'b');
}

/* Some have a number behind the name: `odd-2048`. */
static const struct value {
    struct str name;
    void (*append)(struct buf *out, unsigned number);
} values[] = {
    {STR("k"), append_k},
    {STR("other-k"), append_other_k},
    {STR("n"), append_n},
    {STR("other-n"), append_other_n},
    {STR("zeros-n-"), append_zero_n},
    {STR("odd-"), append_odd},
    {STR("even-"), append_even},
    {STR("bytes-"), append_bytes},
};

static bool names(struct str text, struct str name, int64_t *number)
{
    *number = 0;
    if (!str_ends_with(name, STR("-")))
        return str_equal(text, name);
    return str_starts_with(text, name) &&
           str_to_number((struct str){text.data + name.len, text.len - name.len}, BYTES_MAX,
                         number);
}

static void append_value(struct str name, struct buf *out)
{
    int64_t number;

    for (size_t i = 0; i < ARRAY_LENGTH(values); i++)
        if (names(name, values[i].name, &number)) {
            values[i].append(out, (unsigned)number);
            return;
        }
    fail_msg("there is no value '%.*s'", STR_ARGS(name));
}

/* ---- the template */

/* Cuts a word of small letters, digits and '-' off the front. */
static struct str cut_word(struct str *rest)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    struct str word = {rest->data, 0};

    while (word.len < rest->len && memchr(letters, rest->data[word.len], sizeof(letters) - 1))
        word.len++;
    rest->data += word.len;
    rest->len -= word.len;
    return word;
}

static void expand_signature(struct str *rest, struct buf *out)
{
    struct str key = cut_word(rest), how = STR("");
    struct str input = {out->data, out->len > 0 ? out->len - 1 : 0};
    struct buf bytes;

    if (rest->len > 0 && rest->data[0] == '/') {
        *rest = (struct str){rest->data + 1, rest->len - 1};
        how = cut_word(rest);
    }
    buf_init(&bytes, BYTES_MAX);
    sign(key, input, &bytes);
    if (!str_equal(how, STR("spare-bit")))
        change(how, &bytes);
    base64url_encode(buf_str(&bytes), out);
    if (str_equal(how, STR("spare-bit")))
        set_spare_bit(out);
    buf_free(&bytes);
}

static void expand_value(struct str *rest, struct buf *out)
{
    struct buf bytes;

    buf_init(&bytes, BYTES_MAX);
    append_value(cut_word(rest), &bytes);
    base64url_encode(buf_str(&bytes), out);
    buf_free(&bytes);
}

void template_expand(struct str text, struct buf *out)
{
    while (text.len > 0) {
        char mark = text.data[0];

        text = (struct str){text.data + 1, text.len - 1};
        if (mark == '<')
            base64url_encode(str_cut(&text, '>'), out);
        else if (mark == '@')
            expand_signature(&text, out);
        else if (mark == '$')
            expand_value(&text, out);
        else
            buf_append_byte(out, mark);
    }
    assert_true(buf_is_good(out));
}

struct keyring *template_keyring(const char *jwks)
{
    struct keyring *ring = keyring_new();
    struct err err = {""};
    struct keyset *set;
    struct buf text;

    buf_init(&text, BYTES_MAX);
    template_expand(str_from(jwks), &text);
    set = keyset_parse(KEYSET_JWKS, buf_str(&text), &err);
    if (set == NULL || !keyring_add(ring, set, "template", &err))
        fail_msg("%s", err.text);
    assert_int_equal(keyset_skipped_count(set), 0);
    keyset_free(set);
    buf_free(&text);
    return ring;
}
