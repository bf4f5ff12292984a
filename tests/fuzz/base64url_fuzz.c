#include "base/base64url.h"

#include <string.h>

#include "fuzz.h"

enum { TEXT_MAX_BYTES = 1024 * 1024 };

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Bit by bit, as RFC 4648, sections 3.5 and 5, say it; slow, and unlike the one that is tested. */
static bool decode_slowly(struct str text, struct buf *out)
{
    unsigned byte = 0, bits = 0;

    if (text.len % 4 == 1)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        const char *at = text.data[i] == '\0' ? NULL : strchr(alphabet, text.data[i]);

        if (at == NULL)
            return false;
        for (int bit = 5; bit >= 0; bit--) {
            byte = byte << 1 | ((unsigned)(at - alphabet) >> bit & 1);
            if (++bits == 8) {
                buf_append_byte(out, (char)byte);
                byte = bits = 0;
            }
        }
    }
    return byte == 0;
}

static void decodes_what_is_canonical(struct str text)
{
    struct buf is, expected, again;
    bool good;

    buf_init(&is, TEXT_MAX_BYTES);
    buf_init(&expected, TEXT_MAX_BYTES);
    buf_init(&again, TEXT_MAX_BYTES);
    good = base64url_decode(text, &is);
    require(good == decode_slowly(text, &expected), "both decoders take the same texts");
    if (good) {
        require(str_equal(buf_str(&is), buf_str(&expected)), "both decoders give the same bytes");
        base64url_encode(buf_str(&is), &again);
        require(str_equal(buf_str(&again), text), "what was decoded encodes to the same text");
    } else {
        require(is.len == 0, "what is refused leaves the buffer as it was");
    }
    buf_free(&is);
    buf_free(&expected);
    buf_free(&again);
}

static void encodes_any_bytes(struct str bytes)
{
    struct buf text, is;

    buf_init(&text, TEXT_MAX_BYTES);
    buf_init(&is, TEXT_MAX_BYTES);
    base64url_encode(bytes, &text);
    require(text.len == (bytes.len * 4 + 2) / 3, "the text is as long as it has to be");
    require(base64url_decode(buf_str(&text), &is), "what was encoded can be decoded");
    require(str_equal(buf_str(&is), bytes), "to the same bytes");
    buf_free(&text);
    buf_free(&is);
}

/* Each smaller cap: either it is enough, or nothing is written. */
static void keeps_to_the_cap(struct str text)
{
    for (size_t max = 0; max < 16 && max < text.len; max++) {
        struct buf out;

        buf_init(&out, max);
        if (base64url_decode(text, &out))
            require(out.len <= max, "no more is decoded than fits");
        buf_free(&out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str bytes = {size == 0 ? "" : (const char *)data, size};

    decodes_what_is_canonical(bytes);
    encodes_any_bytes(bytes);
    keeps_to_the_cap(bytes);
    return 0;
}
