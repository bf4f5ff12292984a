#include "base/buf.h"

#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_SIZE_BYTES = 256 };

void buf_init(struct buf *buf, size_t max)
{
    *buf = (struct buf){.max = max};
}

void buf_free(struct buf *buf)
{
    free(buf->data);
    buf_init(buf, buf->max);
}

void buf_free_secret(struct buf *buf)
{
    if (buf->data != NULL)
        OPENSSL_cleanse(buf->data, buf->size);
    buf_free(buf);
}

void buf_reset(struct buf *buf)
{
    buf->len = 0;
    buf->failed = false;
}

static size_t grown_size(const struct buf *buf, size_t wanted)
{
    size_t size = buf->size == 0 ? FIRST_SIZE_BYTES : buf->size;

    while (size < wanted)
        size = size > buf->max / 2 ? buf->max : size * 2;
    return size < buf->max ? size : buf->max;
}

char *buf_reserve(struct buf *buf, size_t len)
{
    char *data;
    size_t size;

    if (buf->failed || len > buf->max - buf->len) {
        buf->failed = true;
        return NULL;
    }
    if (buf->data != NULL && len <= buf->size - buf->len)
        return buf->data + buf->len;
    size = grown_size(buf, buf->len + len);
    /* Not realloc: it would leave a copy of a secret behind. */
    data = malloc(size == 0 ? 1 : size);
    if (data == NULL) {
        buf->failed = true;
        return NULL;
    }
    if (buf->data != NULL) {
        memcpy(data, buf->data, buf->len);
        OPENSSL_cleanse(buf->data, buf->len);
        free(buf->data);
    }
    buf->data = data;
    buf->size = size;
    return buf->data + buf->len;
}

void buf_added(struct buf *buf, size_t len)
{
    buf->len += len;
}

void buf_append(struct buf *buf, const void *data, size_t len)
{
    char *at = buf_reserve(buf, len);

    if (at == NULL)
        return;
    if (len > 0)
        memcpy(at, data, len);
    buf->len += len;
}

void buf_append_str(struct buf *buf, struct str s)
{
    buf_append(buf, s.data, s.len);
}

void buf_append_text(struct buf *buf, const char *text)
{
    buf_append(buf, text, strlen(text));
}

void buf_append_byte(struct buf *buf, char byte)
{
    buf_append(buf, &byte, 1);
}

void buf_append_format(struct buf *buf, const char *format, ...)
{
    char text[1024];
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (len < 0 || (size_t)len >= sizeof(text)) {
        buf->failed = true;
        return;
    }
    buf_append(buf, text, (size_t)len);
}

bool buf_is_good(const struct buf *buf)
{
    return !buf->failed;
}

struct str buf_str(const struct buf *buf)
{
    return (struct str){buf->data == NULL ? "" : buf->data, buf->len};
}
