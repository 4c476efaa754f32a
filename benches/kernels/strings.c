/* Builds strings in buffers that grow, appending numbers and pieces, and turns them round: realloc and short copies. */
#include "kernel.h"

struct text { char *bytes; size_t length, room; };

static void append(struct text *t, const char *piece, size_t length)
{
    if (t->length + length > t->room) {
        t->room = (t->length + length) * 2;
        t->bytes = realloc(t->bytes, t->room);
        if (!t->bytes)
            exit(1);
    }
    memcpy(t->bytes + t->length, piece, length);
    t->length += length;
}

static void append_number(struct text *t, uint32_t n)
{
    char digits[10];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + n % 10);
    while (n /= 10);
    append(t, digits + at, sizeof digits - at);
}

int main(int argc, char **argv)
{
    static const char *const pieces[] = {"key", ": ", ", ", "a longer piece of text", "\n", "x"};
    uint64_t sum = 0;
    for (long turn = turns(argc, argv, 6000); turn > 0; turn--) {
        struct text t = {0};
        for (int i = 0; i < 4000; i++) {
            const char *piece = pieces[random_number() % 6];
            append(&t, piece, strlen(piece));
            append_number(&t, random_number());
        }
        for (size_t i = 0, j = t.length - 1; i < j; i++, j--) {
            char c = t.bytes[i];
            t.bytes[i] = t.bytes[j];
            t.bytes[j] = c;
        }
        for (size_t i = 0; i < t.length; i += 17)
            sum = sum * 31 + (uint8_t)t.bytes[i];
        free(t.bytes);
    }
    return answer(sum);
}
