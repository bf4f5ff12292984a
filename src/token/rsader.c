#include "token/rsader.h"

enum { TAG_INTEGER = 0x02, TAG_BIT_STRING = 0x03, TAG_SEQUENCE = 0x30, LENGTH_BYTES_MAX = 2 };

/* The AlgorithmIdentifier: the OID 1.2.840.113549.1.1.1, and NULL. */
static const struct str rsa_encryption =
    STR("\x30\x0D\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x01\x01\x05\x00");

/* ---- DER (X.690): tag, length, content; each length in its shortest form alone (10.1) */

static struct str without(struct str s, size_t len)
{
    return (struct str){s.data + len, s.len - len};
}

static unsigned byte_of(struct str s, size_t i)
{
    return (unsigned char)s.data[i];
}

static bool cut_long_length(struct str *rest, size_t bytes, size_t *out)
{
    size_t len = 0;

    if (bytes == 0 || bytes > LENGTH_BYTES_MAX || rest->len < bytes)
        return false;
    for (size_t i = 0; i < bytes; i++)
        len = len << 8 | byte_of(*rest, i);
    *rest = without(*rest, bytes);
    *out = len;
    return len >= (bytes == 1 ? 0x80 : 0x100);
}

static bool cut_length(struct str *rest, size_t *out)
{
    unsigned first;

    if (rest->len == 0)
        return false;
    first = byte_of(*rest, 0);
    *rest = without(*rest, 1);
    *out = first;
    return first < 0x80 || cut_long_length(rest, first & 0x7F, out);
}

/* Cuts one element with this tag off, and tells its content. */
static bool cut(struct str *rest, unsigned tag, struct str *content)
{
    size_t len;

    if (rest->len == 0 || byte_of(*rest, 0) != tag)
        return false;
    *rest = without(*rest, 1);
    if (!cut_length(rest, &len) || len > rest->len)
        return false;
    *content = (struct str){rest->data, len};
    *rest = without(*rest, len);
    return true;
}

static bool read_whole(struct str der, unsigned tag, struct str *content)
{
    return cut(&der, tag, content) && der.len == 0;
}

/* One that is not negative, in its shortest form (8.3.2): a zero leads only what would be negative
 * without. */
static bool cut_number(struct str *rest, struct str *out)
{
    if (!cut(rest, TAG_INTEGER, out) || out->len == 0 || byte_of(*out, 0) >= 0x80)
        return false;
    if (byte_of(*out, 0) != 0)
        return true;
    *out = without(*out, 1);
    return out->len > 0 && byte_of(*out, 0) >= 0x80;
}

/* ---- keys */

bool rsader_read_pkcs1(struct str der, struct rsader_numbers *out)
{
    struct str numbers;

    return read_whole(der, TAG_SEQUENCE, &numbers) && cut_number(&numbers, &out->modulus) &&
           cut_number(&numbers, &out->exponent) && numbers.len == 0;
}

bool rsader_read_spki(struct str der, struct rsader_numbers *out)
{
    struct str content, bits;

    if (!read_whole(der, TAG_SEQUENCE, &content) || !str_starts_with(content, rsa_encryption))
        return false;
    /* The first byte tells how many bits of the last one are not used. */
    return read_whole(without(content, rsa_encryption.len), TAG_BIT_STRING, &bits) &&
           bits.len > 0 && bits.data[0] == 0 && rsader_read_pkcs1(without(bits, 1), out);
}
