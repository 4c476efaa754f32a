/* A Lempel-Ziv compressor with a hash of the last three bytes, and its decompressor: byte loads, compares, copies.
 * Format: 0 length bytes... | 1..255 = match length - 2, then the distance in two bytes. */
#include "kernel.h"

enum { SIZE = 1 << 19, WINDOW = 65535, HASHES = 1 << 14 };

static uint8_t plain[SIZE], packed[2 * SIZE], again[SIZE];
static int32_t last[HASHES];

static void make_input(void)
{
    int at = 0;
    while (at < SIZE) {
        uint32_t r = random_number();
        if (at > 300 && r % 4 != 0) {
            int distance = 1 + (int)(r >> 8) % (at < 5000 ? at : 5000), length = 4 + (int)(r >> 4) % 24;
            for (; length > 0 && at < SIZE; length--, at++)
                plain[at] = plain[at - distance];
        } else {
            for (int n = 6; n > 0 && at < SIZE; n--)
                plain[at++] = (uint8_t)(random_number() % 64 + 32);
        }
    }
}

static int flush(int from, int to, int out)
{
    while (from < to) {
        int n = to - from < 255 ? to - from : 255;
        packed[out++] = 0;
        packed[out++] = (uint8_t)n;
        for (int i = 0; i < n; i++)
            packed[out++] = plain[from++];
    }
    return out;
}

static int compress(void)
{
    int out = 0, literal = 0, at = 0;
    for (int i = 0; i < HASHES; i++)
        last[i] = -1;
    while (at + 3 < SIZE) {
        uint32_t key = plain[at] | (uint32_t)plain[at + 1] << 8 | (uint32_t)plain[at + 2] << 16;
        uint32_t hash = key * 2654435761u >> 18;
        int candidate = last[hash], length = 0;
        last[hash] = at;
        if (candidate >= 0 && at - candidate <= WINDOW)
            while (length < 257 && at + length < SIZE && plain[candidate + length] == plain[at + length])
                length++;
        if (length < 4) {
            at++;
            continue;
        }
        out = flush(literal, at, out);
        packed[out++] = (uint8_t)(length - 2);
        packed[out++] = (uint8_t)(at - candidate);
        packed[out++] = (uint8_t)((at - candidate) >> 8);
        at += length;
        literal = at;
    }
    return flush(literal, SIZE, out);
}

static int decompress(int length)
{
    int out = 0;
    for (int in = 0; in < length;) {
        int kind = packed[in++];
        if (kind == 0) {
            for (int n = packed[in++]; n > 0; n--)
                again[out++] = packed[in++];
        } else {
            int distance = packed[in] | packed[in + 1] << 8;
            in += 2;
            for (int n = kind + 2; n > 0; n--, out++)
                again[out] = again[out - distance];
        }
    }
    return out;
}

int main(int argc, char **argv)
{
    uint64_t sum = 0;
    make_input();
    for (long turn = turns(argc, argv, 240); turn > 0; turn--) {
        int length = compress();
        if (decompress(length) != SIZE || memcmp(plain, again, SIZE) != 0)
            return 1;
        sum = sum * 31 + (uint64_t)length;
        plain[(turn * 7919) % SIZE] ^= 5;
    }
    return answer(sum);
}
